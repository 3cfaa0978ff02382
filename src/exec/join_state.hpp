#pragma once

/// Tasks that run at the same time, each on its executor, and that one coroutine waits for. A task
/// has a cancellation state of its own, so it is also what separates a user's coroutine from its
/// caller: docs/design/0014-who-knows-of-a-cancellation.md.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

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

/// One piece of work. It is part of the block that its join state is in, or is kept by that.
///
/// States, each change under the lock of the join state: added -> posted -> running (on its
/// executor) -> ended; added or posted -> ended, which is to be given up, or to lose the executor.
/// A signal is emitted between running and ended only, and on the executor only. A task on an
/// executor that is no consumer loop is never told to end once it runs, and stores nothing of its
/// executor.
class task : private context_shutdown_hook {
 public:
  task() = default;

 protected:
  ~task() = default;

 private:
  friend class join_state;
  enum class phase { added, posted, running, ended };

  /// Called once, on the executor: runs what needs no coroutine, and gives what is to be awaited,
  /// or nothing. What it throws is the task's failure. What the awaitable refers to is kept.
  virtual asio::awaitable<void> begin() = 0;
  /// Called instead of `begin` where the task is given up: lets go of what it would have used.
  virtual void drop() noexcept {}
  /// Called instead of `begin` where the executor is destroyed, before the task has ended.
  virtual void lose() noexcept {}

  void context_ended() noexcept override;
  [[nodiscard]] bool waits_to_begin() const noexcept {
    return where_ == phase::added || where_ == phase::posted;
  }

  // Under the lock of the join state.
  join_state* in_ = nullptr;
  task* next_ = nullptr;  // the one that was added before it
  phase where_ = phase::added;
  bool gone_ = false;  // its context is ending, perhaps on another thread
  bool given_up_ = false;
  std::exception_ptr failure_;
  // Of a task with a consumer loop; let go at the end, since they must not outlive their context.
  asio::any_io_executor strand_;
  asio::any_io_executor keeps_running_;
  asio::cancellation_signal signal_;
};

/// Owned by a `shared_ptr`, which tasks that have been launched share. One coroutine, the owner,
/// adds tasks and waits for them. Thread-safe, except where it says otherwise.
class join_state : public std::enable_shared_from_this<join_state> {
 public:
  join_state() = default;
  join_state(const join_state&) = delete;
  join_state& operator=(const join_state&) = delete;

  /// From here on the owner waits for the task. It may be cancelled if `on` is a consumer loop of
  /// ours; see `child_executor`. If `on` is empty, because its context has ended, it has failed, as
  /// aborted.
  void add(task& added, const asio::any_io_executor& on);
  /// Runs it, unless it was given up meanwhile.
  void launch(task& added, const asio::any_io_executor& on);
  void start(task& added, const asio::any_io_executor& on) {
    add(added, on);
    launch(added, on);
  }

  /// Asks every task that runs to end. One that has not begun is given up at once, and never
  /// begins: it has ended, aborted, even if its executor runs nothing.
  void cancel(asio::cancellation_type type) noexcept;

  /// For an owner that cannot be cancelled: to be awaited, until every task has ended. Null if that
  /// is so already.
  [[nodiscard]] one_shot_event* until_done();

  /// What a cancelled `join` does to the tasks.
  enum class when_cancelled { cancel_tasks, leave_tasks };

  /// Completes when every task has ended; the owner resumes on its own executor. Throws nothing:
  /// what tasks threw is in `failure`. Cancelling it cancels the tasks, unless they are to be left
  /// alone, and it still waits for all that have begun (A1, A9).
  asio::awaitable<void> join(when_cancelled on_cancel = when_cancelled::cancel_tasks);

  /// What the task threw; null if nothing. After it has ended.
  [[nodiscard]] std::exception_ptr failure(const task& of) const;
  /// Whether it was cancelled before it began.
  [[nodiscard]] bool was_given_up(const task& which) const;
  /// Whether its executor's context has ended.
  [[nodiscard]] bool has_lost_context(const task& which) const;

 protected:
  ~join_state() = default;

 private:
  friend class task;
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
