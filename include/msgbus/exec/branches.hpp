#pragma once

/// Coroutines that run at the same time, each on its executor, and are waited for together. Each
/// has a cancellation state of its own, so it is also what separates a user's coroutine from its
/// caller: docs/design/0014-who-knows-of-a-cancellation.md.

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_type.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>

namespace msgbus::exec {

/// Owned by one coroutine, which starts branches and then joins them. What a branch refers to must
/// be its own: it outlives the owner where the owner's context is destroyed first (A12).
class branches {
 public:
  branches();
  branches(const branches&) = delete;
  branches& operator=(const branches&) = delete;
  ~branches();

  /// Starts one more. It may be cancelled if `on` is a strand of ours; see `child_executor`. If
  /// `on` is empty, because its context has ended, the branch has failed, as aborted.
  void start(const asio::any_io_executor& on, asio::awaitable<void> work) {
    launch(add(on), std::move(work));
  }

  /// The same in two steps: from the first one on `join` waits for it. For any thread.
  [[nodiscard]] std::size_t add(const asio::any_io_executor& on);
  void launch(std::size_t index, asio::awaitable<void> work);

  /// What a cancelled `join` does to the branches.
  enum class when_cancelled { cancel_branches, leave_branches };

  /// Completes when every branch has ended; the caller resumes on its own executor. Throws nothing:
  /// what branches threw is in `failure`. Cancelling it cancels the branches, unless they are to be
  /// left alone, and it still waits for all that have begun (A1, A9).
  asio::awaitable<void> join(when_cancelled what = when_cancelled::cancel_branches);

  /// Asks every branch that has begun to end. One that has not begun is given up at once, and never
  /// begins: it has ended, aborted, even if its executor runs nothing. For any thread.
  void cancel(asio::cancellation_type type) noexcept;

  /// What branch number `index` threw; null if nothing. After `join`.
  [[nodiscard]] std::exception_ptr failure(std::size_t index) const;
  /// Whether it was cancelled before it began.
  [[nodiscard]] bool was_given_up(std::size_t index) const;
  /// Whether its executor's context has ended.
  [[nodiscard]] bool has_lost_context(std::size_t index) const;
  [[nodiscard]] std::size_t size() const noexcept;

  struct state;

 private:
  const std::shared_ptr<state> state_;
};

}  // namespace msgbus::exec
