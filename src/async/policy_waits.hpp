#pragma once

/// The guards of a policy that a message may have to wait for. Each is an object in the frame of
/// the coroutine that runs the handler; destroyed at any time, it gives back what it has (P2).

#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "async/attempts.hpp"
#include "policy/breaker_access.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace msgbus::async::detail {

using exec_time = exec::clock::time_point;

/// A call through a circuit breaker, which the handler's policy keeps until the call has ended.
class breaker_call {
 public:
  breaker_call() = default;
  breaker_call(const breaker_call&) = delete;
  breaker_call& operator=(const breaker_call&) = delete;
  ~breaker_call() { end(breaker_machine::verdict::ignored, {}); }

  /// Completes: when the breaker lets the call through; without `wait` at once.
  /// Throws: `circuit_open`, if it does not, or not until then; `operation_aborted`.
  /// Cancellation: has taken nothing.
  /// Executor: the caller's.
  asio::awaitable<void> begin(std::shared_ptr<circuit_breaker> through, bool wait, exec_time until);
  /// The same, if that is possible at once.
  [[nodiscard]] bool try_begin(const std::shared_ptr<circuit_breaker>& through, exec_time now);

  [[nodiscard]] bool has_begun() const noexcept { return through_ != nullptr; }

  void end(breaker_machine::verdict result, exec_time now) noexcept {
    if (circuit_breaker* const from = std::exchange(through_, nullptr)) {
      breaker_access::leave(*from, ticket_, result, now);
    }
  }

 private:
  circuit_breaker* through_ = nullptr;  // null: it has not begun, or has ended
  breaker_machine::ticket ticket_;
};

/// The consumer loop whose permit the message does not hold while it waits for another attempt, or
/// for a duplicate that may do so; null: it keeps it.
[[nodiscard]] exec::coroutine_loop* loop_to_leave(const handler_run& run,
                                                  const asio::any_io_executor& here) noexcept;

/// Completes: with one permit taken.
/// Throws: `rate_limited` at once, if that would take longer than `at_most`; `operation_aborted`.
/// Cancellation: has taken nothing, and gives up its place in the line.
/// Executor: the caller's.
[[nodiscard]] asio::awaitable<void> wait_for_permit(std::shared_ptr<rate_limiter> of,
                                                    exec::clock::duration at_most);

/// One of the runs that `policy::max_concurrent` and `policy::semaphore` allow.
class concurrency_permit {
 public:
  concurrency_permit() = default;
  concurrency_permit(const concurrency_permit&) = delete;
  concurrency_permit& operator=(const concurrency_permit&) = delete;
  ~concurrency_permit() { release(); }

  void release() noexcept {
    if (shared_) give_back(shared_);
    if (own_) give_back(own_);
  }

  /// Whether it has all that the policy asks for. If not, `acquire` waits for the rest.
  [[nodiscard]] bool try_acquire(const stored_policy& of) noexcept {
    return try_take(of.permits, own_) && try_take(of.shared_permits, shared_);
  }
  /// See `exec::async_semaphore::acquire`. The policy outlives this call.
  asio::awaitable<void> acquire(const stored_policy& of);

 private:
  using semaphore = std::shared_ptr<exec::async_semaphore>;

  static void give_back(semaphore& held) noexcept { std::exchange(held, nullptr)->release(); }
  [[nodiscard]] static bool try_take(const semaphore& from, semaphore& held) noexcept {
    if (!from) return true;
    if (!from->try_acquire()) return false;
    held = from;
    return true;
  }

  semaphore own_;
  semaphore shared_;
};

/// A message that no other one with its key is handled with. Forgotten unless it is handled. The
/// handler's policy keeps the filter until it has ended.
class unique_message {
 public:
  unique_message() = default;
  unique_message(unique_message&& other) noexcept
      : in_(std::exchange(other.in_, nullptr)), begun_(other.begun_), key_(std::move(other.key_)) {}
  unique_message& operator=(unique_message&&) = delete;
  ~unique_message() { end(false, {}); }

  /// Completes: with true if the message is to be handled, with false if it was already.
  /// Throws: `operation_aborted`; what the policy's key function throws.
  /// Cancellation: has taken nothing.
  /// Executor: the caller's.
  asio::awaitable<bool> begin(const handler_run& run);
  /// The same, if that is possible at once; `in_flight`: `begin` waits, with the key that this has
  /// made. Throws what the key function throws.
  [[nodiscard]] duplicate_filter::seen try_begin(const stored_policy& policy, value_ref message,
                                                 const msgbus::context& ctx, exec_time now);

  /// Whether the object is worth moving: the key is in flight, or was made for a wait.
  [[nodiscard]] bool has_begun() const noexcept { return in_ != nullptr || key_.has_value(); }

  void end(bool handled, exec_time now) noexcept {
    if (duplicate_filter* const in = std::exchange(in_, nullptr)) in->end(*begun_, handled, now);
  }

 private:
  [[nodiscard]] duplicate_filter::seen begin_with(duplicate_filter& in, std::string_view key,
                                                  exec_time now);

  duplicate_filter* in_ = nullptr;  // null: it has not begun, or has ended
  duplicate_filter::entry* begun_ = nullptr;
  std::optional<std::string> key_;  // for a wait
};

/// The parts of its policy that a handler has passed before its coroutine (`run_guarded`), for that
/// coroutine.
struct entered_policy {
  std::shared_ptr<duplicate_filter> filter;  // of the key that is in flight: the handler may go
  bool is_unique = false;                    // it has passed deduplication
  unique_message unique;
  bool has_permit = false;             // of the rate limit
  std::exception_ptr stopped;          // why there is no attempt
  failures tried;                      // of a first attempt; empty: there was none
  exec_time until = exec_time::max();  // of all attempts, where there was one
};

}  // namespace msgbus::async::detail
