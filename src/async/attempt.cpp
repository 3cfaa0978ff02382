#include "async/attempt.hpp"

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/deadline_timer.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/error.hpp>

#include "async/offload.hpp"
#include "async/policy_waits.hpp"
#include "exec/join_state.hpp"

#include <asio/this_coro.hpp>

#include <functional>

namespace msgbus::async::detail {

namespace {

/// An attempt that runs on another executor. It may outlive its waiting caller (A12).
///
/// Its limit of time ends in one of two ways, and the lock of the timer decides which: by the
/// timer, or by the attempt, as soon as the handler has ended. The time from then until the task
/// ends, or until its caller continues, is not the handler's.
class attempt final : public exec::join_state,
                      public exec::task,
                      private exec::deadline_timer::entry,
                      private exec::deadline_timer::late_work {
 public:
  attempt(std::shared_ptr<const handler_run> of, const msgbus::context& with)
      : run(std::move(of)), ctx(with) {}
  ~attempt() { (void)end_limit(); }

  /// Before it starts. True: `look_at_timer` is to be called when it has started.
  [[nodiscard]] bool begin_limit(std::shared_ptr<exec::deadline_timer> in,
                                 exec::clock::time_point at) {
    timer_ = std::move(in);
    return entry::begin(*timer_, at);
  }
  void look_at_timer() { timer_->look(); }

  /// When the task has ended: whether the timer has ended the attempt.
  [[nodiscard]] bool was_stopped() noexcept { return !end_limit(); }

  std::shared_ptr<const handler_run> run;  // null: it was given up before it began
  msgbus::context ctx;
  failures failed;
  exec::clock::time_point begun{};
  std::optional<exec::clock::time_point> ended = {};
  bool has_run = false;  // the handler has begun

 private:
  /// False: the timer has ended it.
  bool end_limit() noexcept {
    const result limit = entry::end();
    if (!limit.needs_look) return limit.in_time;
    try {
      timer_->look();
    } catch (...) {
      return limit.in_time;  // no memory: the timer expires for nothing
    }
    return limit.in_time;
  }
  // One that is being destroyed is not told.
  std::shared_ptr<late_work> expired() noexcept override {
    auto self = std::static_pointer_cast<attempt>(weak_from_this().lock());
    return self ? std::shared_ptr<late_work>(self, self.get()) : nullptr;
  }
  void time_is_over() noexcept override { cancel(asio::cancellation_type::terminal); }

  std::shared_ptr<exec::deadline_timer> timer_;  // null: no limit

  asio::awaitable<void> begin() override { return await_handler(*this); }
  // Its executor may keep it for ever, and must not keep the handler and the message.
  void drop() noexcept override { run.reset(); }
  static asio::awaitable<void> await_handler(attempt& mine);
};

asio::awaitable<void> attempt::await_handler(attempt& mine) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  std::exception_ptr failure;
  try {
    const stored_policy& policy = *mine.run->policy;
    concurrency_permit permit;  // given back before the end is told
    if (!permit.try_acquire(policy)) co_await permit.acquire(policy);
    check_active(*mine.run);
    mine.has_run = true;
    co_await start_attempt(*mine.run, mine.ctx, mine.failed);
  } catch (...) {
    failure = std::current_exception();
  }
  (void)mine.end_limit();
  mine.ended = exec::now(here);
  if (failure) std::rethrow_exception(failure);
}

/// Whether the attempt took longer than it was given, also where the timer came too late to say so
/// since the handler had its thread.
bool has_overrun(const attempt& mine, const handler_run& run, const attempt_limit& limit,
                 bool was_stopped) {
  if (!mine.ended || !mine.has_run) return false;
  const auto took = *mine.ended - mine.begun;
  if (!was_stopped && took <= limit.at_most) return false;
  run.component->overran(run.step(), took);
  return true;
}

error too_slow(const routing::entry& handler, bool has_run, const attempt_limit& limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit.asked).count();
  return error(errc::timed_out, handler.describe() +
                                    (has_run ? " was not done" : " had not begun") + limit.reason +
                                    std::to_string(ms) + " ms");
}

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

/// Starts the attempt on the policy's executor. Keeps nothing of that executor: it may go before
/// the caller goes on, and a strand must not outlive its context. False, and the attempt has
/// failed, if its context has gone already.
bool start_elsewhere(const std::shared_ptr<attempt>& mine,
                     const std::optional<attempt_limit>& limit, const asio::any_io_executor& here) {
  const asio::any_io_executor wanted = executor_for(*mine->run, mine->failed);
  if (!wanted) return false;
  const asio::any_io_executor on = exec::child_executor(here, wanted, true);
  mine->begun = exec::now(on);
  bool needs_look = false;
  if (limit) {
    mine->ctx = mine->ctx.until(saturating_add(mine->begun, limit->at_most));
    exec::set_deadline(on, *mine->ctx.deadline());
    needs_look =
        mine->begin_limit(mine->run->component->deadlines().of(wanted), *mine->ctx.deadline());
  }
  mine->start(*mine, on);
  if (needs_look && !mine->have_ended()) mine->look_at_timer();
  return true;
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
    run_attempt_inline(*mine->run, mine->ctx, mine->failed);
  };
  auto running = offload(std::move(wanted), std::move(work));
  const offloaded ended = co_await std::move(running);
  // One that has not begun, and never will, is all that this refers to.
  end.failed.take(mine->failed);
  end.has_run = mine->has_run;
  if (ended.failure) end.failed.add_new(ended.failure);
  end.may_repeat = !ended.has_lost_context;
}

}  // namespace

std::optional<attempt_limit> limit_of(const stored_policy& policy, exec_time until, exec_time now) {
  std::optional<attempt_limit> limit;
  if (policy.timeout != policy.timeout.zero()) limit = {policy.timeout, " after ", policy.timeout};
  if (until != exec_time::max()) {
    const auto left = std::max(saturating_sub(until, now), exec::clock::duration());
    const auto asked = policy.deadline == policy.deadline.zero() ? left : policy.deadline;
    if (!limit || left < limit->at_most) limit = {left, " within its deadline of ", asked};
  }
  return limit;
}

void replace_by_too_slow(failures& failed, const routing::entry& handler, bool has_run,
                         const attempt_limit& limit) {
  failures instead;
  instead.add(std::make_exception_ptr(too_slow(handler, has_run, limit)));
  // Its own cancellation is not reported; other exceptions, such as those of clean-ups, are (I3).
  for (std::size_t i = 1; i < failed.size(); ++i) {
    if (!exec::is_aborted(failed[i])) instead.add(failed[i]);
  }
  failed = std::move(instead);
}

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
  auto mine = std::make_shared<attempt>(run, ctx);
  if (!limit && runs_inline(*run)) {
    auto running = run_at_once_elsewhere(mine, end);
    co_await std::move(running);
    co_return;
  }
  if (!start_elsewhere(mine, limit, here)) {
    end.failed.take(mine->failed);
    end.may_repeat = false;
    co_return;
  }
  if (!mine->have_ended()) co_await mine->join();
  if (const std::exception_ptr failure = mine->failure(*mine)) mine->failed.add_new(failure);
  const bool was_stopped = mine->was_stopped();
  const bool was_too_slow = limit && has_overrun(*mine, *run, *limit, was_stopped);
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancelled = exec::is_cancel_requested(here, state);
  if ((was_too_slow || was_stopped) && !cancelled && !mine->failed.empty()) {
    replace_by_too_slow(mine->failed, *run->handler.get(), mine->has_run, *limit);
  }
  end.failed.take(mine->failed);
  end.has_run = mine->has_run;
  end.may_repeat = !mine->has_lost_context(*mine);
}

}  // namespace msgbus::async::detail
