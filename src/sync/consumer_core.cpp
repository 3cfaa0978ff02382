#include <msgbus/detail/sync/consumer_core.hpp>

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/sync/component_run.hpp>

namespace msgbus::sync::detail {

bool run_watched(const routing::route_entry& route, component_run& d, observer& observer) {
  const std::size_t failed_before = d.failed.size();
  const bool took = run_one(route, d);
  for (std::size_t i = failed_before; i < d.failed.size(); ++i) {
    observer.failed(d.step(), d.failed[i]);
  }
  if (took && d.failed.size() == failed_before) observer.delivered(d.step());
  return took;
}

bool run_again(const routing::route_entry& route, component_run& d) {
  observer* const observer = d.component->attached_observer.get();
  if (!observer) return run_one(route, d);
  if (!route.entry->active()) return false;
  observer->accepted(d.step());
  return run_watched(route, d, *observer);
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

inline std::size_t consumer_core::run_all(const routing::quick_route* found,
                                          component_run& d) const {
  d.component = &shared;
  const routing::handler_range typed(found ? found->entries() : nullptr);
  if (typed.begin == typed.end || any() || shared.attached_observer.get()) [[unlikely]] {
    return run_rarely(typed, d);
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
  if (!sole || shared.attached_observer.get()) return run_all(found, d);
  try {
    reinterpret_cast<call_plain>(sole->plain())(*sole, d.message.data, shared, &d.failed);
  } catch (...) {
    d.failed.add(std::current_exception());
  }
  return 1;
}

std::size_t consumer_core::consume_guarded(const routing::quick_route* found,
                                           value_ref event) const {
  component_run d(event);
  const std::size_t ran = run_all(found, d);
  d.failed.throw_any();
  return ran;
}

std::size_t consumer_core::run_rarely(routing::handler_range typed, component_run& d) const {
  const routing::handler_range every(any());
  observer* const observer = d.component->attached_observer.get();
  if (observer) observer->accepted(d.step());
  std::size_t ran = 0;
  for (const routing::handler_range& each : {typed, every}) {
    for (const routing::route_entry* route = each.begin; route != each.end; ++route) {
      ran += (observer ? run_watched(*route, d, *observer) : run_one(*route, d)) ? 1 : 0;
    }
  }
  if (ran == 0) {
    shared.unrouted.add();
    if (observer) observer->unrouted(d.step());
  }
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
    observer* const observer = attached_observer.get();
    if (observer) [[unlikely]]
      observer->accepted(d.step());
    const routing::handler_range bound(entries());
    for (const routing::route_entry* each = bound.begin; each != bound.end; ++each) {
      if (!each->entry->active()) continue;
      ran += target_of(*each).deliver(d);
    }
    if (ran == 0) [[unlikely]] {
      unrouted.add();
      if (observer) observer->unrouted(d.step());
    }
  }
  d.failed.throw_any();
  return ran;
}

}  // namespace msgbus::sync::detail
