#pragma once

/// A count of tasks, and coroutines that wait until there is none.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

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
  /// The same, but gives up when the time is over, and then gives false.
  [[nodiscard]] asio::awaitable<bool> wait_for(clock::duration at_most);

  /// One task of a shared group, from its construction to its destruction.
  class task {
   public:
    task() = default;
    explicit task(std::shared_ptr<wait_group> in) noexcept : in_(std::move(in)) { in_->add(); }
    task(task&& other) noexcept = default;
    task& operator=(task&& other) noexcept {
      in_.swap(other.in_);
      return *this;
    }
    ~task() {
      if (in_) in_->done();
    }

   private:
    std::shared_ptr<wait_group> in_;
  };

 private:
  static bool is_over(void* self, bool woken) noexcept {
    return woken || static_cast<wait_group*>(self)->count_ == 0;
  }

  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  wait_list waiting_;
};

}  // namespace msgbus::exec
