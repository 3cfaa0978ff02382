#pragma once

/// The part of `run_inline` and `advance` that every message takes, to be compiled into them.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/handler_call.hpp>

#include <cstddef>
#include <exception>

namespace msgbus::async::detail {

/// The handler is called, and the message counted.
[[gnu::always_inline]] inline void component_core::call_and_settle(
    routing::entry& sole, const component::provider_state& overrides, value_ref message,
    const msgbus::context& ctx, failures& failed) {
  const component::injection with{overrides, ctx, {&sole, &component::describe_entry}};
  try {
    reinterpret_cast<call_inline>(sole.plain())(sole, message, with, failed);
  } catch (...) {
    failed.add(std::current_exception());
  }
  if (failed.empty()) [[likely]] {
    count(outcome::handled);
  } else if (!count(outcome::failed)) {
    report_abandoned(message);
  } else if (const message_hooks* const attached = hooks()) {
    attached->failed(message, failed, ctx);
  }
}

inline bool component_core::call_sole(routing::entry* sole, value_ref message,
                                      const msgbus::context& ctx, failures& failed,
                                      bool from_mailbox) {
  const component::provider_state& overrides = shared.overrides_state();
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!sole || by || overrides.has_async()) [[unlikely]]
    return by && sole && call_sole_watched(*by, *sole, message, ctx, failed, from_mailbox);
  if (!from_mailbox) {
    if (closed()) [[unlikely]]
      return false;
    counts_.add(outcome::begun);
  }
  call_and_settle(*sole, overrides, message, ctx, failed);
  return true;
}

inline void component_core::begin_quickly(component_run& d, const attachments* by) {
  if (by || (!d.from_mailbox && closed())) [[unlikely]]
    return begin(d, by);
  if (!d.from_mailbox) counts_.add(outcome::begun);
  d.begun = true;
  d.end = routes_.next_order();
}

inline bool component_core::settle_quickly(component_run& d, const attachments* by) {
  if (by || d.ran == 0 || d.cancelled || d.listener || !d.failed.empty() ||
      watching_.load(std::memory_order_acquire)) [[unlikely]] {
    settle(d, by ? by->observer : nullptr);
    return false;
  }
  d.settled = true;
  counts_.add(outcome::handled);
  return false;
}

inline bool component_core::run_one(const routing::route_entry& route, component_run& d,
                                    const attachments* by) {
  if (by) [[unlikely]]
    return run_one_watched(route, d, *by);
  step_taken taken = step_taken::ran;
  try {
    taken = reinterpret_cast<call_handler>(route.call)(*route.entry, d, nullptr);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  switch (taken) {
    case step_taken::refused: d.refused = true; return false;
    case step_taken::suspends:
      d.next = routing::entry_pin(*route.entry);
      d.call_next = reinterpret_cast<call_handler>(route.call);
      return true;
    case step_taken::ran: break;
  }
  ++d.ran;
  return false;
}

}  // namespace msgbus::async::detail
