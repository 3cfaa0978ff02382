#pragma once

/// A flag that coroutines wait for.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <mutex>

namespace msgbus::exec {

/// A manual-reset event: `set` lets through all that wait, and all that come until `reset`.
/// Thread-safe. It outlives the waits.
class async_event {
 public:
  async_event() noexcept : waiting_(mutex_) {}

  void set() noexcept;
  /// Later waits wait for the next `set`. Does not hold back those that `set` has woken.
  void reset() noexcept;
  [[nodiscard]] bool is_set() const noexcept;

  /// Completes: when the event is set, at once if it is.
  /// Throws: `operation_aborted` if it is cancelled.
  /// Cancellation: changes nothing.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> wait();

 private:
  mutable std::mutex mutex_;
  bool set_ = false;
  wait_list waiting_;
};

}  // namespace msgbus::exec
