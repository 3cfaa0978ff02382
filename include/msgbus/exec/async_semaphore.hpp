#pragma once

/// A semaphore for coroutines.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <mutex>

namespace msgbus::exec {

/// A counting semaphore, in order of arrival: a released permit is reserved for the coroutine that
/// has waited longest. Thread-safe. It must outlive its waits.
class async_semaphore {
 public:
  explicit async_semaphore(std::size_t permits) noexcept : permits_(permits), waiting_(mutex_) {}

  /// Completes: with one permit acquired.
  /// Throws: `operation_aborted`.
  /// Cancellation: ends the wait; no permit was acquired (A9).
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> acquire();

  /// Acquires a permit, unless all are acquired or reserved for waiting coroutines.
  [[nodiscard]] bool try_acquire() noexcept;

  void release(std::size_t permits = 1) noexcept;

  /// The number of permits for `try_acquire`.
  [[nodiscard]] std::size_t available() const noexcept;

 private:
  bool take_locked(bool promised) noexcept;

  mutable std::mutex mutex_;
  std::size_t permits_;  // never fewer than woken coroutines
  wait_list waiting_;
};

}  // namespace msgbus::exec
