#pragma once

/// Permits that coroutines wait for.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <mutex>

namespace msgbus::exec {

/// A counting semaphore, first come first served: a released permit is kept for the coroutine that
/// has waited longest. Thread-safe. It outlives the waits.
class async_semaphore {
 public:
  explicit async_semaphore(std::size_t permits) noexcept : permits_(permits), waiting_(mutex_) {}

  /// Completes: with one permit taken.
  /// Throws: `operation_aborted` if it is cancelled.
  /// Cancellation: has taken nothing (A9).
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> acquire();

  /// Takes a permit, unless there is none that nobody waits for.
  [[nodiscard]] bool try_acquire() noexcept;

  void release(std::size_t permits = 1) noexcept;

  /// How many `try_acquire` could take.
  [[nodiscard]] std::size_t available() const noexcept;

 private:
  bool take_locked(bool promised) noexcept;

  mutable std::mutex mutex_;
  std::size_t permits_;  // never fewer than woken coroutines
  wait_list waiting_;
};

}  // namespace msgbus::exec
