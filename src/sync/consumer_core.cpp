#include <msgbus/detail/sync/consumer_core.hpp>

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/sync/component_run.hpp>

#include "observe/active_span.hpp"
#include "sync/trace_verb.hpp"

namespace msgbus::sync::detail {

bool run_watched(const routing::route_entry& route, component_run& d, const attachments& by,
                 bool replayed) {
  const std::size_t failed_before = d.failed.size();
  bool took = false;
  const auto call = [&] { took = run_one(route, d); };
  if (by.tracing && !msgbus::detail::is_marked_not_sampled()) {
    thread_span span(*by.tracing, span_of(d, span_kind::consumer, "process"), *route.entry,
                     replayed);
    call();
    if (!took) span.discard();
    if (d.failed.size() != failed_before) span.fail(d.failed[failed_before]);
  } else {
    call();
  }
  if (!by.observer) return took;
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    by.observer->failed(d.step(), d.failed[i]);
  }
  if (took && d.failed.size() == failed_before) by.observer->delivered(d.step());
  return took;
}

bool run_again(const routing::route_entry& route, component_run& d) {
  const attachments* const by = d.component->attached_observer.attachments_now();
  if (!by) return run_one(route, d);
  if (!route.entry->active()) return false;
  if (by->observer) by->observer->accepted(d.step());
  return run_watched(route, d, *by, true);
}

void pass_on_caught() {
  if (std::current_exception()) throw;
}

namespace {

// `run_one` for handlers of events, which always accept the event.
bool run_event(const routing::route_entry& route, component_run& d) {
  routing::entry& entry = *route.entry;
  if (!entry.active()) return false;
  try {
    reinterpret_cast<call_handler>(route.call)(entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  return true;
}

}  // namespace

consumer_core::consumer_core(std::shared_ptr<provider> overrides) : shared(std::move(overrides)) {}

consumer_core::~consumer_core() = default;

std::shared_ptr<consumer_core> consumer_core::make(std::shared_ptr<provider> overrides) {
  return std::make_shared<consumer_core>(std::move(overrides));
}

template class fan_out_base<consumer_core>;

producer_core::producer_core() = default;

producer_core::~producer_core() = default;

std::shared_ptr<producer_core> producer_core::make() { return std::make_shared<producer_core>(); }

subscription consumer_core::attach_handler(std::span<const routing::typed_call> calls,
                                           const component::callable_type& type, void* callable,
                                           const registered_at& line) {
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<component::event_entry>(order, calls, type, callable, line);
  }));
}

namespace {

routing::handler_range handlers_of(const routing::quick_route* found) noexcept {
  return routing::handler_range(found ? found->entries() : nullptr);
}

}  // namespace

inline std::size_t consumer_core::run_all(const routing::quick_route* found,
                                          component_run& d) const {
  d.component = &shared;
  const routing::handler_range typed = handlers_of(found);
  if (typed.begin == typed.end || any()) [[unlikely]]
    return run_each(typed, d, nullptr);
  std::size_t ran = static_cast<std::size_t>(typed.end - typed.begin);
  for (const routing::route_entry* route = typed.begin; route != typed.end; ++route) {
    if (!run_event(*route, d)) [[unlikely]]
      --ran;
  }
  if (ran == 0) [[unlikely]]
    shared.unrouted.add();  // all were cancelled meanwhile
  return ran;
}

std::size_t consumer_core::run_all_watched(const routing::quick_route* found, component_run& d,
                                           const attachments& by, const char* verb,
                                           const trace_start& start) const {
  d.component = &shared;
  if (by.observer) by.observer->accepted(d.step());
  const verb_span span(by, d, verb, start);
  const std::size_t ran = run_each(handlers_of(found), d, &by);
  if (ran == 0 && by.observer) by.observer->unrouted(d.step());
  return ran;
}

[[gnu::always_inline]] inline std::size_t consumer_core::deliver_unwatched(
    const routing::quick_route* found, component_run& d) const {
  routing::entry* const sole = found ? found->sole() : nullptr;
  if (!sole) return run_all(found, d);
  try {
    reinterpret_cast<call_plain>(sole->plain())(*sole, d.message.data, shared, &d.failed);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  return 1;
}

std::size_t consumer_core::deliver(component_run& d) const {
  const routing::guard guard(guarded());
  const routing::quick_route* const found = find_route(d.message.type);
  const attachments* const by = shared.attached_observer.attachments_now();
  if (is_watched(by)) [[unlikely]]
    return deliver_watched(found, d, *by);
  return deliver_unwatched(found, d);
}

std::size_t consumer_core::deliver_watched(const routing::quick_route* found, component_run& d,
                                           const attachments& by) const {
  const trace_start start = trace_start::of(by, "dispatch");
  if (!start.is_unwatched(by)) return run_all_watched(found, d, by, "dispatch", start);
  const cause_scope none(&msgbus::detail::not_sampled_mark);
  return deliver_unwatched(found, d);
}

std::size_t consumer_core::deliver_traced(component_run& d) const {
  const routing::guard guard(guarded());
  const routing::quick_route* const found = find_route(d.message.type);
  const attachments* const by = shared.attached_observer.attachments_now();
  return is_watched(by) ? run_all_watched(found, d, *by, nullptr, {}) : deliver_unwatched(found, d);
}

inline std::size_t consumer_core::consume_unwatched(const routing::quick_route* found,
                                                    value_ref event) const {
  if (routing::entry* const sole = found ? found->sole() : nullptr) return call_sole(*sole, event);
  component_run d(event);
  const std::size_t ran = run_all(found, d);
  d.failed.throw_any();
  return ran;
}

std::size_t consumer_core::consume_guarded(const routing::quick_route* found,
                                           value_ref event) const {
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!is_watched(by)) [[likely]]
    return consume_unwatched(found, event);
  const trace_start start = trace_start::of(*by, "consume");
  if (start.is_unwatched(*by)) {
    const cause_scope none(&msgbus::detail::not_sampled_mark);
    return consume_unwatched(found, event);
  }
  component_run d(event);
  const std::size_t ran = run_all_watched(found, d, *by, "consume", start);
  d.failed.throw_any();
  return ran;
}

std::size_t consumer_core::run_each(routing::handler_range typed, component_run& d,
                                    const attachments* by) const {
  const routing::handler_range every(any());
  std::size_t ran = 0;
  for (const routing::handler_range& each : {typed, every}) {
    for (const routing::route_entry* route = each.begin; route != each.end; ++route) {
      ran += (by ? run_watched(*route, d, *by) : run_one(*route, d)) ? 1 : 0;
    }
  }
  if (ran == 0) shared.unrouted.add();
  return ran;
}

bool consumer_core::run_only(const void* core, value_ref event, std::string_view,
                             std::uint64_t handler, failures& failed) {
  const auto& of = *static_cast<const consumer_core*>(core);
  const routing::guard guard(of.guarded());
  component_run d(event);
  d.component = &of.shared;
  const routing::quick_route* const found = of.find_route(event.type);
  const routing::handler_range typed(found ? found->entries() : nullptr);
  bool has_run = false;
  for (const routing::route_entry* route = typed.begin; route != typed.end; ++route) {
    if (route->entry->order() == handler) has_run = run_again(*route, d);
  }
  failed.take(d.failed);
  return has_run;
}

void consumer_core::shutdown() noexcept {
  senders.drop_all();
  router::shutdown();
}

[[gnu::always_inline]] inline std::size_t producer_core::dispatch_unwatched(
    component_run& d) const {
  std::size_t ran = 0;
  const routing::handler_range bound(entries());
  for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
    if (!each->entry->active()) continue;
    ran += target_of(*each).deliver(d);
  }
  return ran;
}

std::size_t producer_core::dispatch(value_ref event) const {
  component_run d(event);
  std::size_t ran = 0;
  {
    const routing::guard guard(guarded());
    const attachments* const by = attached_observer.attachments_now();
    if (is_watched(by)) [[unlikely]] {
      ran = dispatch_watched(d, *by);
    } else {
      ran = dispatch_unwatched(d);
    }
    if (ran == 0) [[unlikely]]
      unrouted.add();
  }
  d.failed.throw_any();
  return ran;
}

std::size_t producer_core::dispatch_watched(component_run& d, const attachments& by) const {
  const trace_start start = trace_start::of(by, "dispatch");
  if (start.is_unwatched(by)) {
    const cause_scope none(&msgbus::detail::not_sampled_mark);
    return dispatch_unwatched(d);
  }
  if (by.observer) by.observer->accepted(d.step());
  const verb_span span(by, d, "dispatch", start);
  std::size_t ran = 0;
  const routing::handler_range bound(entries());
  for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
    if (!each->entry->active()) continue;
    const consumer_core& to = target_of(*each);
    ran += by.tracing ? to.deliver_traced(d) : to.deliver(d);
  }
  if (ran == 0 && by.observer) by.observer->unrouted(d.step());
  return ran;
}

}  // namespace msgbus::sync::detail
