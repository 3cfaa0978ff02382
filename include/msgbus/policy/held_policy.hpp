#pragma once

/// The policy of a handler, as its component keeps it.

#include <msgbus/exec/context_shutdown_hook.hpp>
#include <msgbus/policy/policy.hpp>

#include <asio/any_io_executor.hpp>

#include <chrono>
#include <mutex>

namespace msgbus::detail {

/// Stays usable when the context of the policy's executor ends: the executor is released then, and
/// the handler cannot run any more (A12). Thread-safe.
class held_policy final : private exec::context_shutdown_hook {
 public:
  explicit held_policy(policy given);
  ~held_policy() { unlink_and_release(executor_); }

  [[nodiscard]] bool is_plain() const noexcept { return is_plain_; }
  /// Whether the handler runs on an executor of its own.
  [[nodiscard]] bool has_executor() const noexcept { return has_executor_; }
  /// That executor; empty once its context has ended.
  [[nodiscard]] asio::any_io_executor executor() const;

  const std::chrono::steady_clock::duration timeout;
  const msgbus::retry retry;

 private:
  void context_ended() noexcept override;

  const bool is_plain_;
  const bool has_executor_;
  mutable std::mutex mutex_;
  asio::any_io_executor executor_;  // under the mutex
};

}  // namespace msgbus::detail

namespace msgbus::async::detail {
using msgbus::detail::held_policy;
}  // namespace msgbus::async::detail
