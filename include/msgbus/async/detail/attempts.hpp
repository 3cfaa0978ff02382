#pragma once

/// How a handler with a policy is run: attempt by attempt, elsewhere, for a limited time.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/policy/held_policy.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace msgbus::async::detail {

/// One attempt: everything that it refers to is its own, since it may outlive whoever waits for it
/// (A12).
struct attempt {
  std::shared_ptr<core> component;
  routing::pinned handler;
  std::shared_ptr<const void> message;  // what the invocation refers to
  msgbus::context known;
  std::string_view message_name;
  failures failed;
  std::chrono::steady_clock::time_point begun;                 // of one that is run elsewhere
  std::optional<std::chrono::steady_clock::time_point> ended;  // likewise

  [[nodiscard]] di::injection injection() const noexcept;
};

/// Gives the awaitable of one attempt, which adds what fails to the attempt's failures.
using make_attempt = std::function<asio::awaitable<void>(attempt&)>;

/// Makes one attempt without awaiting anything, in the same way.
using run_attempt = std::function<void(attempt&)>;

/// Makes attempts until one succeeds or the policy has enough. What failed in the last one is added
/// to `failed`; failures of attempts that were repeated are told to the observer. Does not throw.
/// Of a plain function that needs nothing `at_once` may be given too: on an executor of its own and
/// without a timeout it is run by that, which costs much less.
asio::awaitable<void> run_attempts(std::shared_ptr<core> component, routing::entry& handler,
                                   std::shared_ptr<const void> message, msgbus::context known,
                                   std::string_view message_name, const held_policy& how,
                                   make_attempt make, failures& failed,
                                   run_attempt at_once = nullptr);

}  // namespace msgbus::async::detail
