// Messages and handlers that are watched: metrics want their times (docs/design/0031-times.md), or
// a tracer their spans (0033).

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/observe/handling_times.hpp>

#include "async/run_one.hpp"
#include "async/traced_runs.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace msgbus::async::detail {

namespace {

/// The time at which a message or its next handler begins. In a consumer loop that is when the
/// handler before ended.
std::int64_t begin_now(bool from_mailbox) noexcept {
  if (from_mailbox) {
    if (const std::int64_t until = std::exchange(handled_until, 0)) return until;
  }
  return times_now();
}

step_taken start_watched(routing::entry& entry, component_run& d, asio::awaitable<void>* start) {
  observed_call& mine = *d.watched;
  if (mine.begun != 0 && !d.from_mailbox) {
    mine.begun = times_now();  // it may have waited for its executor
  }
  const step_taken taken = mine.call(entry, d, start);
  if (mine.cause && start && start->valid()) *start = run_under(std::move(*start), mine.cause);
  return taken;
}

duration_histogram& waits_of(const routing::domain& guarded, handling_times& times, times_key key,
                             std::string_view name) {
  if (times_series* const found = times.waits.find(key)) [[likely]]
    return found->times;
  return times.waits.add(guarded, key, {std::string(name)}).series.times;
}

/// A measured call begins: notes that, if somebody follows them.
running_call note_begin(const handling_times& times, times_series& of) {
  if (!times.is_followed()) [[likely]]
    return {};
  try {
    return running_call(of.calls.made());
  } catch (const std::bad_alloc&) {
    return {};  // without memory the call is not followed, and still made
  }
}

std::string_view name_of_message(const component_run& d) noexcept {
  return d.operation.empty() ? d.message.type->name : d.operation;
}

}  // namespace

void component_core::note_wait(component_run& d, handling_times& times, exec::sent_time sent,
                               times_key key) {
  d.timed = sent != 0;
  if (!d.timed) {
    handled_until = 0;  // it takes time that is not measured
    return;
  }
  const std::int64_t now = begin_now(true);
  handled_until = now;
  waits_of(routes_.guarded(), times, key, name_of_message(d)).add(exec::since(sent, now));
}

void component_core::begin_times(component_run& d, handling_times& times) {
  if (!d.from_mailbox) {
    d.timed = is_sampled(times.sample());
  } else if (d.share) {  // its storage is the message; of a command it was noted before
    const auto& in_hand = *static_cast<const exec::queued_message*>(d.storage);
    note_wait(d, times, mailbox.sent_in_hand(in_hand), {d.message.type});
  }
}

times_series& component_core::times_of(handling_times& times, routing::entry& entry,
                                       value_ref message, std::string_view name) {
  const times_key key{message.type, entry.order()};
  if (times_series* const found = times.handles.find(key)) [[likely]]
    return *found;
  const auto added =
      times.handles.add(routes_.guarded(), key, {std::string(name), entry.describe()});
  if (added.is_new) {
    entry.when_released([kept = times.weak_from_this(), key] {
      if (const auto still = kept.lock()) still->handles.remove(key);
    });
  }
  return added.series;
}

// The short ways of a message that is neither measured nor traced, and else not watched.
bool component_core::call_sole_watched(const attachments& by, routing::entry& sole,
                                       value_ref message, const msgbus::context& ctx,
                                       failures& failed, bool from_mailbox) {
  const component::provider_state& overrides = shared.overrides_state();
  const bool has_only_times = by.times && !by.observer && !by.recorders && !by.tracing;
  if (has_only_times && from_mailbox && !mailbox.keeps_references() &&
      mailbox.sent_in_hand() == 0 && !overrides.has_async()) {
    handled_until = 0;  // it takes time that is not measured
    call_and_settle(sole, overrides, message, ctx, failed);
    return true;
  }
  if (by.has_others || !from_mailbox || ctx.from() || overrides.has_async()) {
    return call_sole_timed(by, sole, message, ctx, failed, from_mailbox);
  }
  const cause_scope scope(&msgbus::detail::not_sampled_mark);
  call_and_settle(sole, overrides, message, ctx, failed);
  return true;
}

bool component_core::call_sole_timed(const attachments& by, routing::entry& sole, value_ref message,
                                     const msgbus::context& ctx, failures& failed,
                                     bool from_mailbox) {
  const component::provider_state& overrides = shared.overrides_state();
  if (by.observer || overrides.has_async()) return false;
  const shared_origin* cause = cause_of_this_thread;
  if (by.tracing && !is_not_sampled(ctx, from_mailbox, cause)) return false;
  const cause_scope scope(cause);
  const auto call = [&] {
    call_and_settle(sole, overrides, message, ctx, failed);
    if (failed.empty() || !by.recorders) [[likely]]
      return;
    const msgbus::step step{message.type->name, ctx.topic(), called().name()};
    for (std::size_t i = 0; i < failed.size(); ++i) by.record_failure(step, &sole, failed[i]);
  };
  if (!by.times) {
    if (!from_mailbox) {
      if (closed()) return false;
      counts_.add(outcome::begun);
    }
    call();
    return true;
  }
  handling_times& times = *by.times;
  if (!from_mailbox) {
    if (closed()) return false;
    times_series* const mine =
        is_sampled(times.sample()) ? &times_of(times, sole, message, message.type->name) : nullptr;
    counts_.add(outcome::begun);
    if (!mine) {
      call();
      return true;
    }
    const std::int64_t begun = times_now();
    {
      const running_call running = note_begin(times, *mine);
      call();
    }
    mine->add(times_now() - begun, !failed.empty());
    return true;
  }
  if (mailbox.keeps_references()) return false;  // the message knows its time
  const exec::sent_time sent = mailbox.sent_in_hand();
  if (sent == 0) {
    handled_until = 0;  // it takes time that is not measured
    call();
    return true;
  }
  const std::int64_t begun = begin_now(true);
  times_series* mine = nullptr;
  duration_histogram* waits = nullptr;
  try {
    mine = &times_of(times, sole, message, message.type->name);
    waits = mine->waits.load(std::memory_order_acquire);
    if (!waits) [[unlikely]] {
      waits = &waits_of(routes_.guarded(), times, {message.type}, message.type->name);
      mine->waits.store(waits, std::memory_order_release);
    }
  } catch (const std::bad_alloc&) {
    return false;  // the long way counts the message, whatever has no memory there
  }
  waits->add(exec::since(sent, begun));
  {
    const running_call running = note_begin(times, *mine);
    call();
  }
  const std::int64_t ended = times_now();
  handled_until = ended;
  mine->add(ended - begun, !failed.empty());
  return true;
}

bool component_core::run_one_watched(const routing::route_entry& route, component_run& d,
                                     const attachments& by) {
  const std::size_t failed_before = d.failed.size();
  const bool timed = d.timed && by.times;
  const std::int64_t begun = timed ? begin_now(d.from_mailbox) : 0;
  running_call running;
  traced_call traced(d, *route.entry, by);
  step_taken taken = step_taken::ran;
  try {
    // A handler that refuses the message must not get a series, if nobody follows calls.
    if (timed && by.times->is_followed()) {
      running =
          note_begin(*by.times, times_of(*by.times, *route.entry, d.message, name_of_message(d)));
    }
    taken = reinterpret_cast<call_handler>(route.call)(*route.entry, d, nullptr);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  switch (taken) {
    case step_taken::refused:
      d.refused = true;
      if (timed && d.from_mailbox) handled_until = begun;
      return false;
    case step_taken::suspends:
      d.next = routing::entry_pin(*route.entry);
      d.call_next = reinterpret_cast<call_handler>(route.call);
      if (timed || traced) {
        d.watched = std::make_unique<observed_call>(d.call_next, begun);
        traced.keep_in(*d.watched);
        if (running) {
          d.watched->times = by.times->shared_from_this();
          d.watched->running = std::move(running);
        }
        d.call_next = &start_watched;
      }
      return true;
    case step_taken::ran: break;
  }
  ++d.ran;
  traced.end(d, failed_before);
  if (timed) {
    const std::int64_t now = times_now();
    times_of(*by.times, *route.entry, d.message, name_of_message(d))
        .add(now - begun, d.failed.size() != failed_before);
    if (d.from_mailbox) handled_until = now;
  }
  if (by.observer || by.recorders) notify(d, by, *route.entry, failed_before);
  return false;
}

void component_core::handler_ended_watched(component_run& d) {
  const auto measured = std::move(d.watched);
  if (measured) end_span(measured->span, d, d.failed_before);
  const routing::guard guard(routes_.guarded());
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!by) return;
  if (measured && measured->begun != 0 && by->times) {
    const std::int64_t now = times_now();
    times_of(*by->times, *d.next.get(), d.message, name_of_message(d))
        .add(now - measured->begun, d.failed.size() != d.failed_before);
    if (d.from_mailbox) handled_until = now;
  }
  if (by->observer || by->recorders) notify(d, *by, *d.next.get(), d.failed_before);
}

std::shared_ptr<const measured_times> component_core::measure(std::uint32_t sample) {
  sample = std::max(sample, 1U);
  rare_state& rare = rare_.made();
  std::shared_ptr<const measured_times> measured;
  bool is_new = false;
  {
    const std::lock_guard lock(rare.mutex);
    measured = rare.measured.lock();
    if (!measured) {
      is_new = true;
      measured = std::make_shared<measured_times>(self(), std::make_shared<handling_times>(sample));
      rare.measured = measured;
      mailbox.time_sends(sample);
    } else if (sample < measured->times().sample()) {
      measured->times().set_sample(sample);
      mailbox.time_sends(sample);
    }
  }
  if (is_new) {
    shared.attached_observer.set_times(routes_.guarded(), measured->times().shared_from_this());
  }
  return measured;
}

void component_core::stop_measuring(const std::shared_ptr<handling_times>& times) noexcept {
  shared.attached_observer.end_times(routes_.guarded(), *times);
  rare_state& rare = rare_.made();
  const std::lock_guard lock(rare.mutex);
  if (rare.measured.expired()) mailbox.time_sends(0);
}

}  // namespace msgbus::async::detail
