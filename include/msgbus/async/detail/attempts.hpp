#pragma once

/// The run of a handler with a policy: attempt by attempt, on another executor, with a time limit.

#include <msgbus/async/detail/delivery.hpp>
#include <msgbus/policy/held_policy.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace msgbus::async::detail {

/// One attempt. It owns everything that it refers to, since it may outlive its waiting caller
/// (A12).
struct attempt {
  std::shared_ptr<core> component;
  routing::entry_pin handler;
  std::shared_ptr<const void> message;  // the owner of the data of the invocation
  msgbus::context ctx;
  std::string_view message_name;
  failures failed;
  std::chrono::steady_clock::time_point begun;                 // for another executor
  std::optional<std::chrono::steady_clock::time_point> ended;  // likewise

  [[nodiscard]] di::injection injection() const noexcept;
};

/// Returns the awaitable of one attempt, which adds exceptions to the failures of the attempt.
using make_attempt = std::function<asio::awaitable<void>(attempt&)>;

/// Makes one attempt without an awaitable, in the same way.
using run_attempt = std::function<void(attempt&)>;

/// Makes attempts until one succeeds or the policy allows no more. The exceptions of the last one
/// are added to `failed`; those of earlier ones go to the observer. Does not throw. For a plain
/// function without dependencies, `at_once` may be given too: on its own executor and without a
/// timeout, that runs it, which costs much less.
asio::awaitable<void> run_attempts(std::shared_ptr<core> component, routing::entry& handler,
                                   std::shared_ptr<const void> message, msgbus::context ctx,
                                   std::string_view message_name, const held_policy& policy,
                                   make_attempt make, failures& failed,
                                   run_attempt at_once = nullptr);

}  // namespace msgbus::async::detail
