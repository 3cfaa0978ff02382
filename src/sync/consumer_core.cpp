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

inline std::size_t consumer_core::run_all(const routing::quick_route* found, component_run& d,
                                          arrival path) const {
  d.component = &shared;
  const routing::handler_range typed(found ? found->entries() : nullptr);
  if (typed.begin == typed.end || any() || shared.attached_observer.attachments_now())
      [[unlikely]] {
    return run_rarely(typed, d, path);
  }
  std::size_t ran = static_cast<std::size_t>(typed.end - typed.begin);
  for (const routing::route_entry* route = typed.begin; route != typed.end; ++route) {
    if (!run_event(*route, d)) [[unlikely]]
      --ran;
  }
  if (ran == 0) [[unlikely]]
    shared.unrouted.add();  // all were cancelled meanwhile
  return ran;
}

std::size_t consumer_core::deliver(component_run& d) const {
  const routing::guard guard(guarded());
  const routing::quick_route* const found = find_route(d.message.type);
  routing::entry* const sole = found ? found->sole() : nullptr;
  if (!sole || shared.attached_observer.attachments_now()) {
    return run_all(found, d, arrival::from_sender);
  }
  try {
    reinterpret_cast<call_plain>(sole->plain())(*sole, d.message.data, shared, &d.failed);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  return 1;
}

std::size_t consumer_core::deliver_traced(component_run& d) const {
  const routing::guard guard(guarded());
  d.component = &shared;
  const routing::quick_route* const found = find_route(d.message.type);
  return run_rarely(routing::handler_range(found ? found->entries() : nullptr), d,
                    arrival::from_traced_sender);
}

std::size_t consumer_core::consume_guarded(const routing::quick_route* found,
                                           value_ref event) const {
  component_run d(event);
  const std::size_t ran = run_all(found, d, arrival::direct);
  d.failed.throw_any();
  return ran;
}

std::size_t consumer_core::run_rarely(routing::handler_range typed, component_run& d,
                                      arrival path) const {
  const attachments* const by = shared.attached_observer.attachments_now();
  if (!by) return run_each(typed, d, nullptr);
  const char* const verb = path == arrival::direct        ? "consume"
                           : path == arrival::from_sender ? "dispatch"
                                                          : nullptr;
  const trace_start start = trace_start::of(*by, verb);
  if (start.is_unsampled && !by->observer) {
    const cause_scope none(&msgbus::detail::not_sampled_mark);
    return run_each(typed, d, nullptr);
  }
  if (by->observer) by->observer->accepted(d.step());
  const verb_span span(*by, d, verb, start);
  const std::size_t ran = run_each(typed, d, by);
  if (ran == 0 && by->observer) by->observer->unrouted(d.step());
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

std::size_t producer_core::dispatch(value_ref event) const {
  component_run d(event);
  std::size_t ran = 0;
  {
    const routing::guard guard(guarded());
    const attachments* const by = attached_observer.attachments_now();
    if (by) [[unlikely]] {
      ran = dispatch_watched(d, *by);
    } else {
      const routing::handler_range bound(entries());
      for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
        if (!each->entry->active()) continue;
        ran += target_of(*each).deliver(d);
      }
    }
    if (ran == 0) [[unlikely]]
      unrouted.add();
  }
  d.failed.throw_any();
  return ran;
}

std::size_t producer_core::dispatch_watched(component_run& d, const attachments& by) const {
  if (by.observer) by.observer->accepted(d.step());
  const verb_span span(by, d, "dispatch", trace_start::of(by, "dispatch"));
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
