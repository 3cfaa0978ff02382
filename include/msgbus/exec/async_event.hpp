#pragma once

/// A flag that coroutines wait for.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <mutex>

namespace msgbus::exec {

/// A manual-reset event: `set` completes all current waits, and all later ones until `reset`.
/// Thread-safe. It must outlive its waits.
class async_event {
 public:
  async_event() noexcept : waiting_(mutex_) {}

  void set() noexcept;
  /// Later waits wait for the next `set`. Woken waits still complete.
  void reset() noexcept;
  [[nodiscard]] bool is_set() const noexcept;

  /// Completes: when the event is set, immediately if it is.
  /// Throws: `operation_aborted`.
  /// Cancellation: ends the wait; the event stays as it is.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> wait();

 private:
  mutable std::mutex mutex_;
  bool set_ = false;
  wait_list waiting_;
};

}  // namespace msgbus::exec
