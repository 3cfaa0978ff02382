#pragma once

/// A count of tasks, and a wait for zero.

#include <msgbus/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace msgbus::exec {

/// Thread-safe. It must outlive its waits.
class wait_group {
 public:
  wait_group() noexcept : waiting_(mutex_) {}

  void add(std::size_t tasks = 1) noexcept;
  /// One task has ended. The last one completes all waits.
  void done() noexcept;
  [[nodiscard]] std::size_t count() const noexcept;

  /// Completes: when the count is zero, or has been zero since.
  /// Throws: `operation_aborted`.
  /// Cancellation: ends the wait; the count stays as it is.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> wait();
  /// As above, with a time limit: false when the time has passed.
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
