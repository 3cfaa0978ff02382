#pragma once

/// Objects that coroutines wait for: an event, a semaphore, a group of tasks.

#include <msgbus/detail/exec/wait_list.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace msgbus::exec {

/// A manual-reset event: `set` completes all current waits, and all later ones until `reset`.
/// Thread-safe. It must outlive its waits.
class async_event {
 public:
  async_event() noexcept : waiting_(mutex_) {}

  void set() noexcept;
  /// Resets the event: later waits wait for the next `set`. Woken waits still complete.
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
