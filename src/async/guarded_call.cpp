// A plain handler with a policy, while nothing goes wrong: without a coroutine, and without memory.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/policy/limiter_access.hpp>

#include "async/policy_waits.hpp"

#include <utility>

namespace msgbus::async::detail {

namespace {

/// What is entered before the handler, and left after it.
struct guards {
  breaker_call through;
  concurrency_permit permit;

  /// False: something must be waited for. Of what was entered the run keeps the permit of the
  /// rate limit.
  [[nodiscard]] bool enter(const stored_policy& policy, component_run& d, exec_time now) {
    if (policy.limiter) {
      if (!limiter_access::try_take(*policy.limiter, now)) return false;
      d.has_permit = true;
    }
    if (policy.breaker && !through.try_begin(policy.breaker, now)) return false;
    return permit.try_acquire(policy);
  }
};

}  // namespace

step_taken run_guarded(const handler_in_hand& which, component_run& d, run_plain run) {
  const stored_policy& policy = *which.policy;
  if (!policy.runs_where_it_is() || d.ctx->deadline()) return step_taken::suspends;
  const asio::any_io_executor& clock = d.component->executor();
  const bool is_timed = policy.limiter || policy.breaker;
  const exec_time now = is_timed ? exec::now(clock) : exec_time();
  failures failed;
  {
    guards entered;
    if (!entered.enter(policy, d, now)) return step_taken::suspends;
    try {
      run(which.f, d.message, d.injection_for(which.entry), failed);
    } catch (...) {
      failed.add(std::current_exception());
    }
    if (failed.empty()) [[likely]] {
      // One that takes long is counted in the time in which it began: a look at the clock is dear.
      entered.through.end(breaker_machine::verdict::succeeded, now);
      d.has_permit = false;
      return step_taken::ran;
    }
    if (policy.breaker) {
      entered.through.end(breaker_access::verdict_on(*policy.breaker, failed), exec::now(clock));
    }
  }
  if (policy.retry.attempts > 1 || policy.dead_letters) {
    d.tried = std::move(failed);
    return step_taken::suspends;
  }
  d.failed.take(failed);
  d.has_permit = false;
  return step_taken::ran;
}

}  // namespace msgbus::async::detail
