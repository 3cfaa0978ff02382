#include "async/offload.hpp"

#include <msgbus/async/shielded.hpp>
#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>

#include "exec/task_group.hpp"
#include "observe/active_span.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace msgbus::async::detail {

namespace {

/// Shared by the coroutine that waits and the function on its way.
///
/// States, each change under the lock: posted -> running -> ended; posted -> ended, by a cancelled
/// caller or the end of the executor's context.
class offload_state {
 public:
  explicit offload_state(std::function<void()> work)
      : work_(std::move(work)), cause_(msgbus::detail::cause_to_keep()) {}

  /// On the other executor.
  void run() noexcept {
    std::function<void()> mine;
    {
      const std::lock_guard lock(mutex_);
      if (where_ != phase::posted) return;
      where_ = phase::running;
      mine.swap(work_);
    }
    std::exception_ptr failure;
    try {
      const cause_scope scope(&cause_);
      mine();
    } catch (...) {
      failure = std::current_exception();
    }
    mine = nullptr;
    end(phase::running, {std::move(failure)});
  }

  /// False if there is nothing to be ended: where it is not in this state.
  bool end_unbegun(offloaded result) noexcept { return end(phase::posted, std::move(result)); }

  /// False when it has ended: then there is nothing to wait for.
  bool will_wait() {
    const std::lock_guard lock(mutex_);
    if (where_ == phase::ended) return false;
    waiting_.emplace();
    return true;
  }
  asio::awaitable<void> wait() { return waiting_->wait(); }

  offloaded take() {
    const std::lock_guard lock(mutex_);
    return std::move(result_);
  }

 private:
  enum class phase { posted, running, ended };

  bool end(phase from, offloaded result) noexcept {
    std::function<void()> unused;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    if (where_ != from) return false;
    where_ = phase::ended;
    result_ = std::move(result);
    unused.swap(work_);
    if (waiting_) waiting_->set();
    return true;
  }

  std::mutex mutex_;
  phase where_ = phase::posted;
  std::function<void()> work_;  // while it is posted
  const shared_origin cause_;
  offloaded result_;
  std::optional<exec::one_shot_event> waiting_;
};

/// The posted function; destroyed without a call when its context is destroyed.
class posted_work {
 public:
  explicit posted_work(std::shared_ptr<offload_state> of) noexcept : of_(std::move(of)) {}
  posted_work(posted_work&&) noexcept = default;
  posted_work& operator=(posted_work&&) = delete;
  ~posted_work() {
    if (of_) of_->end_unbegun({exec::aborted("a handler whose executor was destroyed"), true});
  }
  void operator()() { std::exchange(of_, nullptr)->run(); }

 private:
  std::shared_ptr<offload_state> of_;
};

}  // namespace

asio::awaitable<offloaded> offload(asio::any_io_executor on, std::function<void()> work) {
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto state = std::make_shared<offload_state>(std::move(work));
  asio::post(on, posted_work(state));
  on = {};  // it must not outlive its context
  while (state->will_wait()) {
    const auto now = co_await asio::this_coro::cancellation_state;
    if (now.cancelled() != asio::cancellation_type::none) {
      offloaded given_up;
      given_up.failure = exec::aborted("a handler that had not started");
      if (state->end_unbegun(std::move(given_up))) break;
    }
    try {
      co_await state->wait();
    } catch (const std::bad_alloc&) {
      continue;  // the function may run: it is waited for in any case
    }
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  offloaded result = state->take();
  co_return result;
}

asio::awaitable<void> run_shielded(asio::awaitable<void> work) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::task_group apart;
  apart.start(here, std::move(work));
  co_await apart.join(exec::task_group::when_cancelled::leave_tasks);
  if (const std::exception_ptr failure = apart.failure(0)) std::rethrow_exception(failure);
}

}  // namespace msgbus::async::detail
