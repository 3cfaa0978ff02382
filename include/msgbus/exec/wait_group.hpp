#pragma once

/// A count of tasks, and coroutines that wait until there is none.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <mutex>

namespace msgbus::exec {

/// Thread-safe. It outlives the waits.
class wait_group {
 public:
  wait_group() noexcept : waiting_(mutex_) {}

  void add(std::size_t tasks = 1) noexcept;
  /// One task has ended. The last one lets through all that wait.
  void done() noexcept;
  [[nodiscard]] std::size_t count() const noexcept;

  /// Completes: when the count is zero, or was zero since.
  /// Throws: `operation_aborted` if it is cancelled.
  /// Cancellation: changes nothing.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> wait();

 private:
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  wait_list waiting_;
};

}  // namespace msgbus::exec
