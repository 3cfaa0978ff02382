#pragma once

/// The policy of a handler, in its component.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/detail/policy/duplicate_filter.hpp>
#include <msgbus/policy.hpp>

#include <asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace msgbus::detail {

/// When the context of the policy's executor ends, the executor is released, and the handler cannot
/// run any more (A12). Running attempts share ownership of the policy's objects, and may outlive
/// this object. Thread-safe.
class stored_policy final : private exec::context_shutdown_hook {
 public:
  explicit stored_policy(policy given);
  ~stored_policy() { unlink_and_release(executor_); }

  [[nodiscard]] bool is_plain() const noexcept { return is_plain_; }
  /// Whether the handler has its own executor.
  [[nodiscard]] bool has_executor() const noexcept { return has_executor_; }
  /// Each attempt is a coroutine of its own, even while nothing goes wrong.
  [[nodiscard]] bool attempts_are_coroutines() const noexcept {
    return has_executor_ || !once.empty();
  }
  /// That executor; empty once its context has ended.
  [[nodiscard]] asio::any_io_executor executor() const;
  /// Calls `look` with it, unless its context has ended; the context cannot end meanwhile.
  template <class Look>
  void look_at_executor(const Look& look) const {
    if (!hold()) return;
    const exec::context_keeper until_looked = adopt_hold();
    look(executor());
  }
  /// Whether an attempt has a limited time.
  [[nodiscard]] bool limits_time() const noexcept {
    return timeout != timeout.zero() || deadline != deadline.zero();
  }

  /// Whether a part other than a time limit needs the clock.
  [[nodiscard]] bool needs_clock() const noexcept { return limiter || breaker || filter; }

  const std::string once;
  const std::chrono::steady_clock::duration timeout;
  const msgbus::retry retry;
  const std::chrono::steady_clock::duration deadline;
  // Null if the policy has no such part.
  const std::shared_ptr<exec::async_semaphore> permits;
  const std::shared_ptr<exec::async_semaphore> shared_permits;
  const std::shared_ptr<circuit_breaker> breaker;
  const std::shared_ptr<rate_limiter> limiter;
  const std::shared_ptr<duplicate_filter> filter;
  const std::function<std::string(const any_event&)> key;
  const std::shared_ptr<async::dead_letters> dead_letters;
  const std::string summary;  // for descriptions: without the executor

 private:
  void context_ended() noexcept override;

  const bool is_plain_;
  const bool has_executor_;
  mutable std::mutex mutex_;
  asio::any_io_executor executor_;  // under the mutex
};

/// Throws `bad_arguments` for a value that means nothing; see `checks.hpp`.
void check(const policy& given);

/// The policy, with the members of `defaults` for those that it leaves out.
[[nodiscard]] policy with_defaults(policy own, const policy& defaults);

}  // namespace msgbus::detail

namespace msgbus::async::detail {
using msgbus::detail::stored_policy;
}  // namespace msgbus::async::detail
