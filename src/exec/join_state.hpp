#pragma once

/// Concurrent tasks, each on its executor, for which one coroutine waits. A task has its own
/// cancellation state, so it also separates a user's coroutine from its caller:
/// docs/design/0014-who-knows-of-a-cancellation.md.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

namespace msgbus::exec {

class join_state;

/// One concurrent piece of work. Its join state, or the owner of that, owns it.
///
/// States, each change under the lock of the join state: added -> posted -> running (on its
/// executor) -> ended; or added or posted -> ended, if it is given up or its executor is destroyed.
/// A signal is emitted in state running only, and on the executor only. A running task on an
/// executor that is no `mailbox_strand` is never cancelled, and stores no executor.
class task : private context_shutdown_hook {
 public:
  task() = default;

 protected:
  ~task() = default;

 private:
  friend class join_state;
  enum class phase { added, posted, running, ended };

  /// Called once, on the executor. Runs the part that needs no coroutine, and returns an awaitable
  /// for the remaining part, or an invalid one if there is none. An exception is the task's
  /// failure. The task outlives the awaitable.
  virtual asio::awaitable<void> begin() = 0;
  /// Called instead of `begin` if the task is given up. Releases the task's resources.
  virtual void drop() noexcept {}
  /// Called instead of `begin` if the executor is destroyed, before the task has ended.
  virtual void lose() noexcept {}

  void context_ended() noexcept override;
  [[nodiscard]] bool waits_to_begin() const noexcept {
    return where_ == phase::added || where_ == phase::posted;
  }

  // Under the lock of the join state.
  join_state* in_ = nullptr;
  task* next_ = nullptr;  // the task that was added before
  phase where_ = phase::added;
  bool gone_ = false;  // its context is ending, perhaps on another thread
  bool given_up_ = false;
  std::exception_ptr failure_;
  // For a task on a `mailbox_strand`. Released at its end, since they must not outlive their
  // context.
  asio::any_io_executor strand_;
  asio::any_io_executor keeps_running_;
  asio::cancellation_signal signal_;
  // Of the function that emits it. Of types, each emission has all that were asked for.
  wake_memory memory_;
  asio::cancellation_type to_emit_ = asio::cancellation_type::none;
  bool emits_ = false;  // the function is on its way
};

/// Owned by a `shared_ptr`, which launched tasks share. One coroutine, the owner, adds tasks and
/// waits for them. Thread-safe.
class join_state : public std::enable_shared_from_this<join_state> {
 public:
  join_state() = default;
  join_state(const join_state&) = delete;
  join_state& operator=(const join_state&) = delete;

  /// From now on, the owner waits for the task. A running task can be cancelled if `on` is a
  /// `mailbox_strand`; see `child_executor`. If `on` is empty, because its context has ended, the
  /// task fails with `operation_aborted`.
  void add(task& added, const asio::any_io_executor& on);
  /// The same, on a strand that was made for this task, if it is one: a limit of time of the work
  /// on it cancels the task (`strand_state::signal`).
  void add_on_own_strand(task& added, const asio::any_io_executor& on);
  /// Starts the task, unless it was given up meanwhile.
  void launch(task& added, const asio::any_io_executor& on);
  void start(task& added, const asio::any_io_executor& on) {
    add(added, on);
    launch(added, on);
  }

  /// Cancels every running task. A task that has not begun is given up: it ends at once with
  /// `operation_aborted`, even if its executor runs nothing, and never begins.
  void cancel(asio::cancellation_type type) noexcept;

  /// Whether every task has ended.
  [[nodiscard]] bool have_ended() const noexcept;

  /// For an owner that cannot be cancelled: an event to await, until every task has ended. Null if
  /// all have ended.
  [[nodiscard]] one_shot_event* until_done();

  /// The effect of a cancelled `join` on the tasks.
  enum class when_cancelled { cancel_tasks, leave_tasks };

  /// Completes when every task has ended; the owner resumes on its own executor. Does not throw the
  /// tasks' exceptions; see `failure`. A cancellation cancels the tasks, with `cancel_tasks`, and
  /// `join` still waits for all tasks that have begun (A1, A9).
  asio::awaitable<void> join(when_cancelled on_cancel = when_cancelled::cancel_tasks);

  /// The exception of an ended task; null if it has none.
  [[nodiscard]] std::exception_ptr failure(const task& of) const;
  /// Whether the task was cancelled before it began.
  [[nodiscard]] bool was_given_up(const task& which) const;
  /// Whether the context of the task's executor has ended.
  [[nodiscard]] bool has_lost_context(const task& which) const;

 protected:
  ~join_state() = default;

 private:
  friend class task;
  struct emission;
  class ending;
  struct remains;
  struct starter;

  static asio::awaitable<void> run(std::shared_ptr<join_state> self, task& which,
                                   asio::awaitable<void> rest);
  [[nodiscard]] bool mark_running(task& which) noexcept;
  void end_locked(task& which, std::exception_ptr failure, remains& rest) noexcept;
  void end(task& which, std::exception_ptr failure) noexcept;
  void lose(task& which) noexcept;
  void wake_if_done_locked() noexcept;
  void notify_locked(task& which, asio::cancellation_type type) noexcept;

  mutable std::mutex mutex_;
  task* last_ = nullptr;
  std::size_t running_ = 0;  // not ended
  std::optional<one_shot_event> joining_;
};

}  // namespace msgbus::exec
