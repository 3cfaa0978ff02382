#pragma once

/// Awaitables that run concurrently, each on its executor, and are joined together.

#include "exec/join_state.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>

#include <cstddef>
#include <exception>
#include <memory>

namespace msgbus::exec {

/// Owned by one coroutine, which starts tasks and then joins them. A task must own the objects that
/// it uses: if the owner's context is destroyed first, the task outlives the owner (A12).
class task_group {
 public:
  using when_cancelled = join_state::when_cancelled;

  task_group();
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group();

  /// Starts a task. A running task can be cancelled if `on` is a `mailbox_strand`; see
  /// `child_executor`. If `on` is empty, because its context has ended, the task fails with
  /// `operation_aborted`.
  void start(const asio::any_io_executor& on, asio::awaitable<void> work);

  /// See `join_state::join`.
  asio::awaitable<void> join(when_cancelled on_cancel = when_cancelled::cancel_tasks);

  /// See `join_state::cancel`. For any thread.
  void cancel(asio::cancellation_type type) noexcept;

  /// The exception of task number `index`; null if it has none. After `join`.
  [[nodiscard]] std::exception_ptr failure(std::size_t index) const;
  /// Whether the task was cancelled before it began.
  [[nodiscard]] bool was_given_up(std::size_t index) const;
  /// Whether the context of the task's executor has ended.
  [[nodiscard]] bool has_lost_context(std::size_t index) const;
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct state;
  const std::shared_ptr<state> state_;
};

}  // namespace msgbus::exec
