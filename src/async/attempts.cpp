#include "async/attempts.hpp"

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/timer.hpp>

#include "async/attempt.hpp"
#include "async/dead_letter_store.hpp"
#include "async/policy_waits.hpp"
#include "exec/consumer_loop.hpp"
#include "policy/backoff.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace msgbus::async::detail {

msgbus::step handler_run::step() const noexcept {
  return {message_name, ctx.topic(), component->called().name()};
}

namespace {

/// Of an attempt that another one follows.
void notify(const handler_run& run, const failures& failed) {
  const routing::guard guard(run.component->routes().guarded());
  run.component->count_repeated();
  const attachments* const by = run.component->shared.attached_observer.attachments_now();
  if (!by) return;
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (by->observer) by->observer->failed(run.step(), failed[i]);
    by->record_failure(run.step(), run.handler.get(), failed[i], true);
  }
}

/// When all attempts together are to have ended: as the policy says, the sender of the message, or
/// the policy of a handler that awaits this one (P7).
exec_time end_of_all(const handler_run& run, const asio::any_io_executor& here) {
  const auto given = run.policy->deadline;
  const exec_time own =
      given == given.zero() ? exec_time::max() : saturating_add(exec::now(here), given);
  const exec_time given_with_it = run.ctx.deadline().value_or(exec_time::max());
  return std::min({own, given_with_it, exec::deadline_on(here)});
}

/// The verdict on an attempt for a breaker.
breaker_machine::verdict verdict_on(const stored_policy& policy, const attempt_end& end,
                                    bool cancelled) {
  if (!end.has_run || cancelled) return breaker_machine::verdict::ignored;
  return breaker_access::verdict_on(*policy.breaker, end.failed);
}

/// A run of a handler that its policy is kept by. Its coroutines refer to it.
class policy_run {
 public:
  explicit policy_run(handler_run&& run) noexcept
      : run_(std::move(run)),
        entered_(run_.entered ? std::move(*run_.entered) : entered_policy()) {}

  asio::awaitable<void> run_all(failures& failed);

 private:
  [[nodiscard]] const handler_run& run() const noexcept { return shared_ ? *shared_ : run_; }
  [[nodiscard]] asio::awaitable<void> make_attempts(failures& failed);
  [[nodiscard]] asio::awaitable<bool> pause_before_next(std::size_t next, exec_time until,
                                                        failures& failed);
  [[nodiscard]] exec::clock::duration longest_wait(const asio::any_io_executor& here) const;

  void keep_letter(failures& failed) const noexcept;

  handler_run run_;
  std::shared_ptr<const handler_run> shared_;  // instead, once an attempt runs elsewhere
  std::size_t made_ = 0;                       // attempts
  std::size_t in_vain_ = 0;                    // timed out before the handler began
  entered_policy entered_;                     // destroyed first: the run keeps its policy
};

/// How long an awaited verb waits for the rate limit.
exec::clock::duration policy_run::longest_wait(const asio::any_io_executor& here) const {
  const exec_time until = end_of_all(run_, here);
  if (run_.queued || until == exec_time::max()) return exec::clock::duration::max();
  return std::max(saturating_sub(until, exec::now(here)), exec::clock::duration::zero());
}

/// False, and `failed` is final, if there is no next attempt.
asio::awaitable<bool> policy_run::pause_before_next(std::size_t next, exec_time until,
                                                    failures& failed) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto pause = pause_before(next, run().policy->retry, failed, random_part());
  if (saturating_add(exec::now(here), pause) >= until) co_return false;
  const auto state = co_await asio::this_coro::cancellation_state;
  // The attempt could change only its own cancellation state.
  if (state.slot().is_connected()) {  // a coroutine that the library has spawned
    co_await asio::this_coro::throw_if_cancelled(true);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  notify(run(), failed);
  bool aborted = false;
  try {
    exec::time_beside beside(loop_to_leave(run(), here));
    co_await exec::sleep(pause);
    co_await beside.come_back();
  } catch (...) {
    aborted = true;
  }
  const auto now = co_await asio::this_coro::cancellation_state;
  co_return !aborted && !exec::is_cancel_requested(here, now);
}

asio::awaitable<void> policy_run::make_attempts(failures& failed) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const stored_policy& policy = *run_.policy;
  const bool has_tried = !entered_.tried.empty();
  const exec_time until = has_tried ? entered_.until : end_of_all(run_, here);
  const bool elsewhere = policy.has_executor() || policy.limits_time() || until != exec_time::max();
  if (elsewhere) shared_ = std::make_shared<const handler_run>(std::move(run_));
  for (;;) {
    const msgbus::context ctx = run().ctx.repeated(static_cast<unsigned>(made_));
    attempt_end end;
    breaker_call through;
    std::exception_ptr refused;
    if (!entered_.tried.empty()) {
      end.failed.take(entered_.tried);
      end.has_run = true;
    } else {
      try {
        if (policy.breaker && !through.try_begin(policy.breaker, exec::now(here))) {
          co_await through.begin(policy.breaker, run().queued, until);
        }
        if (elsewhere) {
          const std::optional<attempt_limit> limit = limit_of(policy, until, exec::now(here));
          co_await run_elsewhere(shared_, ctx, limit, end);
        } else {
          co_await run_here(run_, ctx, end);
        }
      } catch (...) {
        refused = std::current_exception();
      }
    }
    if (refused) end.failed.add_new(refused);
    const auto state = co_await asio::this_coro::cancellation_state;
    const bool cancelled = exec::is_cancel_requested(here, state);
    if (through.has_begun()) through.end(verdict_on(policy, end, cancelled), exec::now(here));
    if (end.failed.empty()) co_return;
    ++(end.has_run ? made_ : in_vain_);
    const std::size_t counted = std::max(made_, in_vain_);
    bool again = end.may_repeat && !cancelled && !refused && run().handler.get()->active();
    again = again && wants_another(counted, policy.retry, end.failed);
    if (again) again = co_await pause_before_next(counted + 1, until, end.failed);
    if (!again) {
      failed.take(end.failed);
      co_return;
    }
  }
}

/// A letter that cannot be kept for lack of memory is one more failure.
void policy_run::keep_letter(failures& failed) const noexcept {
  try {
    letter_access::add(*run().policy->dead_letters, run(), made_, failed);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

asio::awaitable<void> policy_run::run_all(failures& failed) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const std::shared_ptr<rate_limiter> limiter = run_.policy->limiter;
  const bool filters = run_.policy->filter != nullptr;
  failures mine;
  std::exception_ptr stopped;
  try {
    if (entered_.stopped) std::rethrow_exception(entered_.stopped);
    if (filters && !entered_.is_unique) {
      const bool is_first = co_await entered_.unique.begin(run_);
      if (!is_first) co_return;
    }
    if (limiter && !entered_.has_permit) co_await wait_for_permit(limiter, longest_wait(here));
    co_await make_attempts(mine);
  } catch (...) {
    stopped = std::current_exception();
  }
  if (stopped) mine.add_new(stopped);
  entered_.unique.end(mine.empty(), exec::now(here));
  if (!mine.empty() && run().policy->dead_letters) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!exec::is_cancel_requested(here, state)) keep_letter(mine);
  }
  failed.take(mine);
}

}  // namespace

asio::awaitable<void> run_attempts(handler_run run, failures& failed) {
  policy_run mine(std::move(run));
  co_await mine.run_all(failed);
}

}  // namespace msgbus::async::detail
