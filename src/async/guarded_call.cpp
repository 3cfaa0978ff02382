// A plain handler with a policy, while nothing goes wrong: without a coroutine, and without memory.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/policy/limiter_access.hpp>

#include "async/attempt.hpp"
#include "async/policy_waits.hpp"

#include <algorithm>
#include <utility>

namespace msgbus::async::detail {

namespace {

/// One handler with one message, through the parts of its policy in their order.
class guarded_call {
 public:
  guarded_call(const handler_in_hand& which, component_run& d, exec_time outside)
      : which_(which),
        policy_(*which.policy),
        d_(d),
        outside_(outside),
        limits_time_(policy_.limits_time() || outside != exec_time::max()) {
    if (limits_time_ || policy_.needs_clock()) now_ = exec::now(clock());
  }

  step_taken run(run_plain handler) {
    switch (pass_filter()) {
      case passed::yes: break;
      case passed::not_needed: return step_taken::ran;
      case passed::no: return hand_over();
    }
    if (policy_.limiter && !limiter_access::try_take(*policy_.limiter, now_)) return hand_over();
    has_permit_ = policy_.limiter != nullptr;
    const exec_time until = end_of_all();
    breaker_call through;
    if (policy_.breaker && !through.try_begin(policy_.breaker, now_)) return hand_over();
    failures failed;
    const bool has_run = attempt(handler, until, failed);
    if (!has_run) return hand_over();
    if (policy_.breaker) {
      through.end(breaker_access::verdict_on(*policy_.breaker, failed), ended_);
    }
    if (failed.empty()) [[likely]] {
      unique_.end(true, ended_);
      return step_taken::ran;
    }
    if (policy_.retry.attempts > 1 || policy_.dead_letters) {
      tried_ = std::move(failed);
      until_ = until;
      return hand_over();
    }
    unique_.end(false, ended_);
    d_.failed.take(failed);
    return step_taken::ran;
  }

 private:
  enum class passed { yes, no, not_needed };

  [[nodiscard]] const asio::any_io_executor& clock() const noexcept {
    return d_.component->executor();
  }

  passed pass_filter() {
    if (!policy_.filter) return passed::yes;
    using seen = duplicate_filter::seen;
    seen was = seen::never;
    try {
      was = unique_.try_begin(policy_, d_.message, *d_.ctx, now_);
    } catch (...) {
      stopped_ = std::current_exception();
      return passed::no;
    }
    is_unique_ = was == seen::never;
    return was == seen::handled ? passed::not_needed : is_unique_ ? passed::yes : passed::no;
  }

  [[nodiscard]] exec_time end_of_all() const noexcept {
    if (policy_.deadline == policy_.deadline.zero()) return outside_;
    return std::min(outside_, saturating_add(now_, policy_.deadline));
  }

  /// False: it must wait for its turn.
  bool attempt(run_plain handler, exec_time until, failures& failed) {
    concurrency_permit permit;
    if (!permit.try_acquire(policy_)) return false;
    const std::optional<attempt_limit> limit =
        limits_time_ ? limit_of(policy_, until, now_) : std::nullopt;
    if (!limit) {  // or one that never comes
      call(handler, *d_.ctx, failed);
      // One that takes long is counted in the time in which it began: a look at the clock is dear.
      const bool looks = policy_.filter || (policy_.breaker && !failed.empty());
      ended_ = looks ? exec::now(clock()) : now_;
      return true;
    }
    call(handler, d_.ctx->until(saturating_add(now_, limit->at_most)), failed);
    ended_ = exec::now(clock());
    // Nothing interrupts a plain function: it is judged when it has ended.
    const auto took = ended_ - now_;
    if (took > limit->at_most) {
      d_.component->overran(d_.step(), took);
      if (!failed.empty()) replace_by_too_slow(failed, which_.entry, true, *limit);
    }
    return true;
  }

  void call(run_plain handler, const msgbus::context& ctx, failures& failed) {
    try {
      handler(which_.f, d_.message, d_.injection_for(which_.entry, ctx), failed);
    } catch (...) {
      failed.add(std::current_exception());
    }
  }

  /// A coroutine does the rest.
  step_taken hand_over() {
    const bool has_passed = is_unique_ || unique_.has_begun() || has_permit_;
    if (has_passed || stopped_ || !tried_.empty()) {
      d_.entered.reset(new entered_policy{is_unique_, std::move(unique_), has_permit_,
                                          std::move(stopped_), std::move(tried_), until_});
    }
    return step_taken::suspends;
  }

  const handler_in_hand& which_;
  const stored_policy& policy_;
  component_run& d_;
  const exec_time outside_;  // the end of all attempts, as others say
  const bool limits_time_;
  exec_time now_{};  // at the beginning
  exec_time ended_{};

  // As in `entered_policy`.
  bool is_unique_ = false;
  unique_message unique_;
  bool has_permit_ = false;
  std::exception_ptr stopped_;
  failures tried_;
  exec_time until_ = exec_time::max();
};

}  // namespace

step_taken run_guarded(const handler_in_hand& which, component_run& d, run_plain run) {
  if (which.policy->has_executor() || !which.policy->once.empty()) return step_taken::suspends;
  const exec_time outside =
      std::min(d.ctx->deadline().value_or(exec_time::max()), d.outer_deadline());
  return guarded_call(which, d, outside).run(run);
}

}  // namespace msgbus::async::detail
