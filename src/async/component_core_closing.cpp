// Counting, closing and draining of async components.

#include <msgbus/detail/async/component_core.hpp>

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/one_shot_event.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/error.hpp>

#include "async/scheduler.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <functional>

namespace msgbus::async::detail {

namespace {

/// In the retire list it calls back, after a grace period.
struct callback {
  std::function<void()> notify;
  ~callback() { notify(); }
};

void after_grace(const routing::domain& guarded, std::function<void()> notify) {
  routing::retire_list things;
  things.add(std::unique_ptr<callback>(new callback{std::move(notify)}));
  routing::retire_later(guarded, std::move(things));
}

std::uint64_t without_outcome(const counters& of) noexcept {
  return of.accepted - (of.handled + of.failed + of.dropped + of.abandoned);
}

}  // namespace

bool component_core::count(outcome result) noexcept {
  if (!watching_.load(std::memory_order_acquire)) [[likely]] {
    counts_.add(result);
    return true;
  }
  bool counted = false;
  {
    const std::lock_guard lock(listeners_mutex_);
    counted = !written_off_.load(std::memory_order_relaxed);
    if (counted) counts_.add(result);
  }
  check_quiet();
  return counted;
}

// In one step: `write_off` sees both or neither, also if it was before.
void component_core::count_begun(outcome result) noexcept {
  if (!watching_.load(std::memory_order_acquire)) [[likely]] {
    counts_.add(outcome::begun);
    counts_.add(result);
    return;
  }
  {
    const std::lock_guard lock(listeners_mutex_);
    counts_.add(outcome::begun);
    counts_.add(result);
  }
  check_quiet();
}

void component_core::count_no_handler(const component_run& d) noexcept {
  observer* const observer = shared.attached_observer.get();
  counts_.add(outcome::begun);
  counts_.add(outcome::unrouted);
  if (observer) observer->unrouted(d.step());
  record_unrouted(d.step());
  count(outcome::failed);
}

void component_core::count_rejected(const msgbus::step& message) noexcept {
  counts_.add(outcome::rejected);
  if (!shared.attached_observer.get()) return;
  const routing::guard guard(routes_.guarded());
  if (observer* const observer = shared.attached_observer.get()) observer->rejected(message);
}

// Between `write_off` and the end of the grace period, a thread that has not seen `watching_` may
// still count an outcome, and a scheduled message that is pending may still enter the mailbox.
// Until then, what has no other outcome is abandoned: the figures add up at any time, and nothing
// is counted twice.
counters component_core::stats() const noexcept {
  // A message that `count_begun` counts is seen with its outcome, or not at all.
  std::unique_lock lock(listeners_mutex_, std::defer_lock);
  if (watching_.load(std::memory_order_acquire)) lock.lock();
  const bool is_open = written_off_.load(std::memory_order_acquire) &&
                       (!senders_finished_.load(std::memory_order_acquire) || due_later() != 0);
  counters all = counted();
  if (is_open) all.abandoned = all.accepted - (all.handled + all.failed + all.dropped);
  return all;
}

// Outcomes are read before the messages: no outcome is seen without its message.
counters component_core::counted() const noexcept {
  counters all;
  all.handled = counts_.sum(outcome::handled);
  all.failed = counts_.sum(outcome::failed);
  all.dropped = counts_.sum(outcome::dropped);
  all.abandoned = counts_.sum(outcome::abandoned);
  all.unrouted = counts_.sum(outcome::unrouted);
  all.rejected = counts_.sum(outcome::rejected);
  all.overran = counts_.sum(outcome::overran);
  all.accepted = counts_.sum(outcome::begun) + mailbox.accepted();
  all.offered = all.accepted + all.rejected;
  if (const scheduler* const made = made_schedules()) all.scheduled = made->total();
  return all;
}

// Senders that saw the component open may still enqueue, so they are looked at before the messages.
// Scheduled messages are next: one that has left the schedule counts in the mailbox.
bool component_core::is_quiet() const noexcept {
  return senders_finished_.load(std::memory_order_acquire) && due_later() == 0 &&
         without_outcome(stats()) == 0;
}

scheduler* component_core::made_schedules() const noexcept {
  const rare_state* const made = rare_.get();
  return made ? made->made_schedules.load(std::memory_order_acquire) : nullptr;
}

std::size_t component_core::due_later() const noexcept {
  const scheduler* const made = made_schedules();
  return made ? made->pending() : 0;
}

scheduler& component_core::schedules() {
  rare_state& rare = rare_.made();
  if (!rare.made_schedules.load(std::memory_order_acquire)) {
    std::shared_ptr<scheduler> made = scheduler::make(*this);
    const std::lock_guard lock(rare.mutex);
    if (!rare.schedules) {
      rare.schedules = std::move(made);
      rare.made_schedules.store(rare.schedules.get(), std::memory_order_release);
    }
  }
  // Its counterpart is in `close_verbs`: either that finds the schedule, or `scheduler::add` sees
  // that the component is closed.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return *rare.schedules;
}

bool component_core::close_verbs() noexcept {
  const bool is_first = !closed_.exchange(true, std::memory_order_acq_rel);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return is_first;
}

void component_core::close(bool reported) noexcept {
  const bool is_first = close_verbs();
  if (scheduler* const made = made_schedules()) made->end(*this, reported);
  mailbox.close();
  if (is_first) watch();
}

void component_core::close_to_senders() noexcept {
  const bool is_first = close_verbs();
  if (scheduler* const made = made_schedules()) made->finish(*this);
  mailbox.close_to_senders();
  if (is_first) watch();
}

void component_core::watch() noexcept {
  watching_.store(true, std::memory_order_release);
  // Outcomes that were counted without seeing `watching_` are complete when the grace period ends.
  after_grace(routes_.guarded(), [keep = self()] { keep->grace_ended(); });
}

void component_core::listen(listener added) {
  {
    const std::lock_guard lock(listeners_mutex_);
    auto& [all, sweep_at] = rare_.made().to_notify;
    if (all.size() >= sweep_at) {
      std::erase_if(all, [](const listener& each) { return each.target.expired(); });
      sweep_at = std::max(sweep_at, 2 * all.size());
    }
    all.push_back(std::move(added));
  }
  // Not before `watching_` is set: a grace period that begins earlier does not end the counting of
  // outcomes by threads that have not seen it.
  if (watching_.load(std::memory_order_acquire))
    after_grace(routes_.guarded(), [keep = self()] { keep->grace_ended(); });
}

// At a `write_off` before this, a sender may have been about to enqueue a message, or a thread to
// count an outcome without seeing `watching_`. Both hold a guard, so they are over now, and nothing
// is accepted any more.
void component_core::grace_ended() noexcept {
  {
    const std::lock_guard lock(listeners_mutex_);
    const bool is_first = !senders_finished_.load(std::memory_order_relaxed);
    if (is_first && written_off_.load(std::memory_order_relaxed)) {
      counts_.add(outcome::abandoned, without_outcome(counted()));
    }
    senders_finished_.store(true, std::memory_order_release);
  }
  check_quiet();
}

void component_core::check_quiet() noexcept {
  if (is_quiet()) notify_quiet();
}

void component_core::notify_quiet() noexcept {
  std::vector<listener> to_notify;
  {
    const std::lock_guard lock(listeners_mutex_);
    if (rare_state* const made = rare_.get()) to_notify.swap(made->to_notify.all);
  }
  for (const listener& each : to_notify) {
    if (const auto there = each.target.lock()) each.notify(there.get());
  }
}

void component_core::write_off() noexcept {
  {
    const std::lock_guard lock(listeners_mutex_);
    if (written_off_.load(std::memory_order_relaxed)) return;
    if (senders_finished_.load(std::memory_order_relaxed)) {
      counts_.add(outcome::abandoned, without_outcome(counted()));
    }  // else `grace_ended` does it
    written_off_.store(true, std::memory_order_release);
  }
  check_quiet();
}

// The grace period may have ended before the message was due.
void component_core::scheduled_offered() noexcept {
  if (!watching_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(listeners_mutex_);
  if (written_off_.load(std::memory_order_relaxed) &&
      senders_finished_.load(std::memory_order_relaxed)) {
    counts_.add(outcome::abandoned, without_outcome(counted()));
  }
}

void component_core::forget_rules() noexcept {
  mailbox.forget_rules(routes_.guarded());
  if (rare_state* const made = rare_.get()) made->keys.clear(routes_.guarded());
}

void component_core::end() noexcept {
  close();
  mailbox.discard();
  if (rare_state* const made = rare_.get()) made->hooks.clear(routes_.guarded());
  forget_rules();
  notify_quiet();  // nobody gets more from here
}

namespace {

void set_event(exec::one_shot_event& quiet) { quiet.set(); }

asio::awaitable<void> wait_until(std::shared_ptr<component_core> self,
                                 std::chrono::steady_clock::time_point at_most) {
  auto quiet = std::make_shared<exec::one_shot_event>();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  self->on_quiet<exec::one_shot_event, set_event>(quiet);
  co_await exec::wait_for(quiet, saturating_sub(at_most, exec::now(here)), "drain");
}

drain_report report_since(const counters& before, const counters& after) {
  drain_report report;
  report.handled = after.handled - before.handled;
  report.failed = after.failed - before.failed;
  // It may have decreased: a message that an earlier drain wrote off was handled after all.
  report.abandoned = after.abandoned - std::min(after.abandoned, before.abandoned);
  return report;
}

}  // namespace

asio::awaitable<drain_report> component_core::drain(std::shared_ptr<component_core> self,
                                                    std::chrono::steady_clock::duration deadline,
                                                    drain_options options) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const auto begun = exec::now(here);
  const auto grace = options.grace_within(deadline);
  const counters before = self->stats();
  if (options.wait_for_scheduled) {
    self->close_to_senders();
  } else {
    self->close(true);
  }
  co_await wait_until(self, saturating_add(begun, deadline - grace));
  self->close(true);
  if (!self->is_quiet()) {
    self->unreported_.drained();  // the report tells of them
    self->mailbox.discard();
    // Also without a grace: cancelled handlers still run on the caller's executor.
    co_await wait_until(self, saturating_add(begun, deadline));
    self->write_off();
  }
  co_return report_since(before, self->stats());
}

asio::awaitable<drain_report> component_core::drain(std::shared_ptr<component_core> self,
                                                    drain_options options) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (exec::is_waited_for(here, &self->mailbox)) {
    throw error(errc::would_deadlock,
                "a drain without a deadline, from a handler that the mailbox of " +
                    std::string(self->kind()) +
                    " waits for, would never complete; give it a deadline");
  }
  const counters before = self->stats();
  if (options.wait_for_scheduled) {
    self->close_to_senders();
    if (scheduler* const made = self->made_schedules()) made->give_up_what_never_comes(*self);
  } else {
    self->close(true);
  }
  auto quiet = std::make_shared<exec::one_shot_event>();
  self->on_quiet<exec::one_shot_event, set_event>(quiet);
  co_await quiet->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "drain");
  self->close(true);
  co_return report_since(before, self->stats());
}

}  // namespace msgbus::async::detail
