#pragma once

/// Coroutines that run at the same time, each on its executor, and are waited for together.

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

  /// Completes when every branch has ended; the caller resumes on its own executor. Throws nothing:
  /// what branches threw is in `failure`. Cancelling it cancels the branches, and it still waits
  /// for all of them (A1, A9).
  asio::awaitable<void> join();

  /// Asks every branch that still runs to end. For any thread.
  void cancel(asio::cancellation_type type) noexcept;

  /// What branch number `index` threw; null if nothing. After `join`.
  [[nodiscard]] std::exception_ptr failure(std::size_t index) const;
  /// Whether its executor's context has ended.
  [[nodiscard]] bool has_lost_context(std::size_t index) const;
  [[nodiscard]] std::size_t size() const noexcept;

  struct state;

 private:
  const std::shared_ptr<state> state_;
};

}  // namespace msgbus::exec
