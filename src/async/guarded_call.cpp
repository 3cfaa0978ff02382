// A handler with a policy, while nothing goes wrong: a plain one without a coroutine and without
// memory; a coroutine in the coroutine of its run, with memory that is used again.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/deadline_timer.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include "async/attempt.hpp"
#include "async/attempts.hpp"
#include "async/policy_waits.hpp"
#include "policy/limiter_access.hpp"

#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::async::detail {

const stored_policy& policy_of(const handler_in_hand& which) {
  static const stored_policy asks_for_nothing{policy()};
  return which.policy ? *which.policy : asks_for_nothing;
}

namespace {

/// One handler with one message, and the parts of its policy in their order.
class guards {
 public:
  /// `suspends`: the handler is a coroutine.
  guards(const handler_in_hand& which, const stored_policy& policy, component_run& d,
         exec_time outside, bool suspends)
      : which_(which),
        policy_(policy),
        d_(d),
        outside_(outside),
        suspends_(suspends),
        limits_time_(policy_.limits_time() || outside != exec_time::max()) {
    if (limits_time_ || policy_.needs_clock()) now_ = time();
  }

  enum class passed { yes, no, not_needed };

  /// `no`: it must wait for something, or has failed before its first attempt.
  passed enter() {
    const passed is_first = pass_filter();
    if (is_first != passed::yes) return is_first;
    if (policy_.limiter && !limiter_access::try_take(*policy_.limiter, now_)) return passed::no;
    has_permit_ = policy_.limiter != nullptr;
    until_ = end_of_all();
    if (policy_.breaker && !through_.try_begin(policy_.breaker, now_)) return passed::no;
    if (!permit_.try_acquire(policy_)) return passed::no;
    if (limits_time_) limit_ = limit_of(policy_, until_, now_);
    return passed::yes;
  }

  /// How long the attempt may take; nothing if it has no limit, or one that never comes.
  [[nodiscard]] const std::optional<attempt_limit>& limit() const noexcept { return limit_; }
  [[nodiscard]] exec_time attempt_ends() const noexcept {
    return saturating_add(now_, limit_->at_most);
  }
  [[nodiscard]] const handler_in_hand& which() const noexcept { return which_; }
  [[nodiscard]] component_run& d() const noexcept { return d_; }

  /// The attempt has ended; `was_stopped`, because its time was over. True: the policy goes on, in
  /// a coroutine.
  bool leave(failures& failed, bool was_stopped, bool cancelled) {
    permit_.release();
    // A look at the clock is dear. A plain function that has ended well is counted, and its key is
    // remembered, from the time at which its message was taken.
    const bool looks =
        limit_ || (policy_.filter && suspends_) || (policy_.breaker && !failed.empty());
    const exec_time ended = looks ? time() : now_;
    if (limit_) judge(ended - now_, failed, was_stopped, cancelled);
    if (policy_.breaker) {
      using verdict = breaker_machine::verdict;
      through_.end(
          cancelled ? verdict::ignored : breaker_access::verdict_on(*policy_.breaker, failed),
          ended);
    }
    if (failed.empty()) [[likely]] {
      unique_.end(true, ended);
      return false;
    }
    if (!cancelled && (policy_.retry.attempts > 1 || policy_.dead_letters)) {
      tried_ = std::move(failed);
      return true;
    }
    unique_.end(false, ended);
    d_.failed.take(failed);
    return false;
  }

  /// A coroutine does the rest.
  void hand_over() {
    const bool has_passed = is_unique_ || unique_.has_begun() || has_permit_;
    if (has_passed || stopped_ || !tried_.empty()) {
      d_.entered.reset(new entered_policy{policy_.filter, is_unique_, std::move(unique_),
                                          has_permit_, std::move(stopped_), std::move(tried_),
                                          until_});
    }
  }

 private:
  [[nodiscard]] const asio::any_io_executor& clock() const noexcept {
    return d_.component->executor();
  }
  /// A filter of duplicates alone needs no exact time.
  [[nodiscard]] exec_time time() const {
    const bool is_exact =
        limits_time_ || policy_.limiter || policy_.breaker || policy_.filter->needs_exact_time();
    return is_exact ? exec::now(clock()) : exec::rough_now(clock());
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

  void judge(exec::clock::duration took, failures& failed, bool was_stopped, bool cancelled) {
    if (!was_stopped && took <= limit_->at_most) return;
    d_.component->overran(d_.step(), took);
    if (!failed.empty() && !cancelled) replace_by_too_slow(failed, which_.entry, true, *limit_);
  }

  const handler_in_hand which_;
  const stored_policy& policy_;
  component_run& d_;
  const exec_time outside_;  // the end of all attempts, as others say
  const bool suspends_;
  const bool limits_time_;
  exec_time now_{};  // at the beginning

  // As in `entered_policy`.
  bool is_unique_ = false;
  bool has_permit_ = false;
  unique_message unique_;
  std::exception_ptr stopped_;
  failures tried_;
  exec_time until_ = exec_time::max();

  // Of the attempt.
  breaker_call through_;
  concurrency_permit permit_;
  std::optional<attempt_limit> limit_;
};

/// The deadline of all attempts: that of the message, or of the work that awaits its handling.
exec_time outside_of(const component_run& d) {
  return std::min(d.ctx->deadline().value_or(exec_time::max()), d.outer_deadline());
}

void call(const guards& in, run_plain run, const msgbus::context& ctx, failures& failed) {
  try {
    run(in.which().f, in.d().message, in.d().injection_for(in.which().entry, ctx), failed);
  } catch (...) {
    failed.add(std::current_exception());
  }
}

/// False: a coroutine must do it.
bool has_run(guards& in, run_plain run) {
  switch (in.enter()) {
    case guards::passed::yes: break;
    case guards::passed::not_needed: return true;
    case guards::passed::no: in.hand_over(); return false;
  }
  failures failed;
  if (!in.limit()) {
    call(in, run, *in.d().ctx, failed);
  } else {
    call(in, run, in.d().ctx->until(in.attempt_ends()), failed);
  }
  // Nothing interrupts a plain function: it is judged when it has ended.
  if (!in.leave(failed, false, false)) return true;
  in.hand_over();
  return false;
}

asio::awaitable<void> nothing() { co_return; }

}  // namespace

step_taken run_guarded(const handler_in_hand& which, component_run& d, run_plain run) {
  if (!which.policy->attempts_are_coroutines()) {
    guards in(which, *which.policy, d, outside_of(d), false);
    if (has_run(in, run)) return step_taken::ran;
  }
  d.current = surrounded::by_policy;
  return step_taken::suspends;
}

/// A coroutine handler inside its policy, in the coroutine of its run. A limit of time is an entry
/// of the executor's timer. When it is over, the signal of the run's own coroutine ends what the
/// handler awaits: the coroutine is the library's, so nobody else is cancelled by that.
///
/// The timer's lock decides whether a limited attempt ends in time: `leave` removes the entry
/// before it reads the clock. So an attempt that ended in time was not stopped, and a stopped one
/// has taken at least its time. A signal that is on its way when the attempt ends finds another
/// number on the strand, and does nothing.
class guarded_run final : private exec::deadline_timer::entry {
 public:
  /// `strand` is that of the run's coroutine; null: it cannot be cancelled, and there is no limit.
  guarded_run(const handler_in_hand& which, component_run& d, exec_time outside,
              const exec::strand_state* strand)
      : guards_(which, policy_of(which), d, outside, true), strand_(strand) {
    if (strand) on_ = std::move(*d.own_executor);
  }
  guarded_run(const guarded_run&) = delete;
  guarded_run& operator=(const guarded_run&) = delete;
  ~guarded_run() {
    if (is_limited()) (void)end_limit();
  }
  static void* operator new(std::size_t) { return exec::take_block(); }
  static void operator delete(void* block) noexcept { exec::give_back_block(block); }

  guards::passed enter() {
    const guards::passed passed = guards_.enter();
    if (passed == guards::passed::yes) {
      const msgbus::context& ctx = *guards_.d().ctx;
      ctx_ = guards_.limit() ? ctx.until(guards_.attempt_ends()) : ctx;
      if (guards_.limit()) begin_limit();
    } else if (passed == guards::passed::no) {
      guards_.hand_over();
    }
    return passed;
  }

  [[nodiscard]] asio::awaitable<void> start(const handler_call& handler) {
    const handler_in_hand& which = guards_.which();
    const component_run& d = guards_.d();
    try {
      return start_attempt(handler, which.f, d.message, d.injection_for(which.entry, ctx_),
                           failed_);
    } catch (...) {
      failed_.add(std::current_exception());
    }
    return nothing();
  }

  /// As `component_run::goes_on`.
  bool leave(const std::exception_ptr& failure) {
    if (failure) failed_.add_new(failure);
    const bool was_stopped = is_limited() && !end_limit();
    const bool goes_on = guards_.leave(failed_, was_stopped, guards_.d().cancelled);
    if (goes_on) guards_.hand_over();
    return goes_on;
  }

 private:
  [[nodiscard]] bool is_limited() const noexcept { return timer_ != nullptr; }

  // `expired` may be called from `entry::begin` to `entry::end`.
  void begin_limit() {
    component_core& of = *guards_.d().component;
    exec::deadline_timer& timer = of.deadlines().of_owner(of.executor());
    limit_number_ = ++strand_->limit.last;
    const bool needs_look = entry::begin(timer, *ctx_.deadline());
    timer_ = &timer;
    strand_->limit.number = limit_number_;
    outer_deadline_ = strand_->deadline;
    exec::set_deadline(*strand_, *ctx_.deadline());
    if (strand_->loop && !strand_->limit.timer) {
      strand_->limit.timer = timer.later();
      strand_->limit.look = [](void* at) { exec::deadline_timer::look_at(at); };
    }
    if (needs_look) look_later();
  }

  /// Whether the attempt has ended in time.
  [[nodiscard]] bool end_limit() noexcept {
    const result ended = entry::end();
    strand_->limit.number = 0;
    strand_->limit.is_over = false;
    strand_->deadline = outer_deadline_;
    // A loop looks when it ends: until then, the next message may need the timer as it is.
    exec::deadline_timer& timer = *std::exchange(timer_, nullptr);
    if (!ended.needs_look || strand_->loop) return ended.in_time;
    try {
      timer.look();
    } catch (...) {
      return ended.in_time;  // no memory: the timer expires for nothing
    }
    return ended.in_time;
  }

  /// When the strand has nothing else to do: the handler has suspended, or another one has.
  void look_later() {
    if (strand_->limit.looks) return;
    strand_->posting.execute([on = on_, strand = strand_, at = timer_->later()] {
      strand->limit.looks = false;
      exec::deadline_timer::look(*at);
    });
    strand_->limit.looks = true;
  }

  // On the thread of the timer. A signal is used on its strand only.
  std::shared_ptr<exec::deadline_timer::late_work> expired() noexcept override {
    try {
      strand_->posting.execute([on = on_, strand = strand_, number = limit_number_] {
        if (strand->limit.number != number) return;  // it has ended meanwhile
        strand->limit.is_over = true;
        strand->signal->emit(asio::cancellation_type::terminal);
      });
    } catch (...) {
      return nullptr;  // no memory: the handler is judged when it ends
    }
    return nullptr;
  }

  guards guards_;
  msgbus::context ctx_;
  failures failed_;
  const exec::strand_state* const strand_;
  asio::any_io_executor on_;               // keeps the strand
  exec::deadline_timer* timer_ = nullptr;  // null: no limit, or it has ended
  std::uint64_t limit_number_ = 0;         // on the strand
  exec_time outer_deadline_ = exec_time::max();
};

void destroy_guarded::operator()(guarded_run* run) const noexcept { delete run; }

bool start_guarded(const handler_call& handler, const handler_in_hand& which, component_run& d,
                   asio::awaitable<void>* start) {
  static_assert(sizeof(guarded_run) <= exec::block_bytes);
  if (!handler.is_coroutine || d.entered) return false;
  if (which.policy && which.policy->attempts_are_coroutines()) return false;
  const exec::strand_state* strand =
      d.own_executor ? exec::strand_state_of(*d.own_executor) : nullptr;
  exec_time outside = outside_of(d);
  if (strand) outside = std::min(outside, strand->deadline);
  const bool is_limited = outside != exec_time::max() || policy_of(which).limits_time();
  if (is_limited && !(strand && strand->signal)) return false;
  guarded_ptr mine(new guarded_run(which, d, outside, is_limited ? strand : nullptr));
  switch (mine->enter()) {
    case guards::passed::yes: break;
    case guards::passed::not_needed: *start = nothing(); return true;
    case guards::passed::no: return false;
  }
  *start = mine->start(handler);
  d.guarded = std::move(mine);
  return true;
}

bool component_run::leave_guards(std::exception_ptr& failure) {
  const guarded_ptr mine = std::move(guarded);
  const bool goes_on = mine->leave(failure);
  failure = nullptr;
  return goes_on;
}

}  // namespace msgbus::async::detail
