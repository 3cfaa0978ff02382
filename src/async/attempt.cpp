#include "async/attempt.hpp"

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/offload.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/error.hpp>

#include "async/policy_waits.hpp"
#include "exec/task_group.hpp"

#include <asio/this_coro.hpp>

#include <atomic>
#include <functional>

namespace msgbus::async::detail {

namespace {

asio::awaitable<void> run(std::shared_ptr<attempt> mine) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  std::exception_ptr failure;
  try {
    const stored_policy& policy = *mine->run->policy;
    concurrency_permit permit;  // given back before the end is told
    if (!permit.try_acquire(policy)) co_await permit.acquire(policy);
    check_active(*mine->run);
    mine->has_run = true;
    co_await start_attempt(*mine->run, mine->ctx, mine->failed);
  } catch (...) {
    failure = std::current_exception();
  }
  mine->ended = exec::now(here);
  if (failure) std::rethrow_exception(failure);
}

/// Whether the attempt took longer than it was given, also where the timer came too late to say so
/// since the handler had its thread.
bool has_overrun(const attempt& mine, const std::optional<attempt_limit>& limit, bool timer_says) {
  if (!limit || !mine.ended || !mine.has_run) return false;
  const auto took = *mine.ended - mine.begun;
  if (!timer_says && took <= limit->at_most) return false;
  mine.run->component->overran(mine.run->step(), took);
  return true;
}

error too_slow(const attempt& mine, const attempt_limit& limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit.asked).count();
  return error(errc::timed_out, mine.run->handler.get()->describe() +
                                    (mine.has_run ? " was not done" : " had not begun") +
                                    limit.reason + std::to_string(ms) + " ms");
}

/// What ends an attempt that takes too long.
class time_limit {
 public:
  time_limit(const asio::any_io_executor& on, std::shared_ptr<exec::task_group> limited)
      : clock_(on), limited_(std::move(limited)) {}

  void start(exec::clock::duration limit) {
    clock_.start(limit, [limited = limited_, passed = passed_] {
      *passed = true;
      limited->cancel(asio::cancellation_type::terminal);
    });
  }
  [[nodiscard]] bool passed() const noexcept { return *passed_; }

 private:
  exec::timer clock_;
  const std::shared_ptr<exec::task_group> limited_;
  const std::shared_ptr<std::atomic<bool>> passed_ = std::make_shared<std::atomic<bool>>(false);
};

/// The policy's executor; empty, and the attempt has failed, if its context has gone already.
asio::any_io_executor executor_for(const handler_run& run, failures& failed) {
  asio::any_io_executor wanted =
      run.policy->has_executor() ? run.policy->executor() : run.component->executor();
  if (!wanted) {
    failed.add(std::make_exception_ptr(
        error(errc::closed, run.handler.get()->describe() +
                                " cannot run: the context of its executor has been destroyed")));
  }
  return wanted;
}

/// Starts the attempt on the policy's executor. Keeps nothing of that: it may go before the caller
/// goes on, and a strand must not outlive its context. Null, and the attempt has failed, if its
/// context has gone already.
std::unique_ptr<time_limit> start_elsewhere(const std::shared_ptr<exec::task_group>& together,
                                            const std::shared_ptr<attempt>& mine,
                                            const std::optional<attempt_limit>& limit,
                                            const asio::any_io_executor& here) {
  const asio::any_io_executor wanted = executor_for(*mine->run, mine->failed);
  if (!wanted) return nullptr;
  const asio::any_io_executor on = exec::child_executor(here, wanted, true);
  mine->begun = exec::now(on);
  if (limit) {
    mine->ctx = mine->ctx.until(saturating_add(mine->begun, limit->at_most));
    exec::set_deadline(on, *mine->ctx.deadline());
  }
  together->start(on, run(mine));
  auto clock = std::make_unique<time_limit>(on, together);
  if (limit) clock->start(limit->at_most);
  return clock;
}

/// A plain function without a time limit: it is awaited by nothing there.
asio::awaitable<void> run_at_once_elsewhere(std::shared_ptr<attempt> mine, attempt_end& end) {
  const stored_policy& policy = *mine->run->policy;
  concurrency_permit permit;
  if (!permit.try_acquire(policy)) co_await permit.acquire(policy);
  asio::any_io_executor wanted = executor_for(*mine->run, end.failed);
  if (!wanted) {
    end.may_repeat = false;
    co_return;
  }
  std::function<void()> work = [mine] {
    check_active(*mine->run);
    mine->has_run = true;
    run_attempt_at_once(*mine->run, mine->ctx, mine->failed);
  };
  auto running = offload(std::move(wanted), std::move(work));
  const offloaded ended = co_await std::move(running);
  // One that has not begun, and never will, is all that this refers to.
  end.failed.take(mine->failed);
  end.has_run = mine->has_run;
  if (ended.failure) end.failed.add_new(ended.failure);
  end.may_repeat = !ended.has_lost_context;
}

/// Says of an attempt that was cancelled by its time limit that it was too slow.
void replace_by_too_slow(attempt& mine, const attempt_limit& limit) {
  failures instead;
  instead.add(std::make_exception_ptr(too_slow(mine, limit)));
  // What it was told to throw is said; what clean-ups threw on the way out is not (I3).
  for (std::size_t i = 1; i < mine.failed.size(); ++i) {
    if (!exec::is_aborted(mine.failed[i])) instead.add(mine.failed[i]);
  }
  mine.failed = std::move(instead);
}

}  // namespace

void check_active(const handler_run& run) {
  const routing::entry& handler = *run.handler.get();
  if (handler.active()) [[likely]]
    return;
  throw error(errc::closed, handler.describe() + " was cancelled before it began");
}

asio::awaitable<void> run_here(const handler_run& run, msgbus::context ctx, attempt_end& end) {
  std::exception_ptr thrown;
  try {
    concurrency_permit permit;
    if (!permit.try_acquire(*run.policy)) co_await permit.acquire(*run.policy);
    check_active(run);
    end.has_run = true;
    co_await start_attempt(run, ctx, end.failed);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) end.failed.add_new(thrown);
}

asio::awaitable<void> run_elsewhere(std::shared_ptr<const handler_run> run, msgbus::context ctx,
                                    std::optional<attempt_limit> limit, attempt_end& end) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  auto mine = std::make_shared<attempt>();
  mine->run = std::move(run);
  mine->ctx = ctx;
  if (!limit && runs_at_once(*mine->run)) {
    auto running = run_at_once_elsewhere(mine, end);
    co_await std::move(running);
    co_return;
  }
  auto together = std::make_shared<exec::task_group>();
  const auto clock = start_elsewhere(together, mine, limit, here);
  if (!clock) {
    end.failed.take(mine->failed);
    end.may_repeat = false;
    co_return;
  }
  co_await together->join();
  if (const std::exception_ptr failure = together->failure(0)) mine->failed.add_new(failure);
  const bool was_too_slow = has_overrun(*mine, limit, clock->passed());
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancelled = exec::is_cancel_requested(here, state);
  if ((was_too_slow || clock->passed()) && !cancelled && !mine->failed.empty()) {
    replace_by_too_slow(*mine, *limit);
  }
  end.failed.take(mine->failed);
  end.has_run = mine->has_run;
  end.may_repeat = !together->has_lost_context(0);
}

}  // namespace msgbus::async::detail
