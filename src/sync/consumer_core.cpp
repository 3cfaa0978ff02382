#include <msgbus/sync/detail/consumer_core.hpp>

#include <msgbus/component/handler_entry.hpp>

#include "run_watched.hpp"

namespace msgbus::sync::detail {

consumer_core::consumer_core(std::shared_ptr<provider> overrides) : shared(std::move(overrides)) {}

consumer_core::~consumer_core() = default;

std::shared_ptr<consumer_core> consumer_core::make(std::shared_ptr<provider> overrides) {
  return std::make_shared<consumer_core>(std::move(overrides));
}

producer_core::producer_core() = default;

producer_core::~producer_core() = default;

std::shared_ptr<producer_core> producer_core::make() { return std::make_shared<producer_core>(); }

void producer_core::bind(const std::shared_ptr<consumer_core>& target) {
  target->senders.bind(*this, target);
}

void producer_core::unbind(consumer_core& target) { target.senders.unbind(*this); }

subscription consumer_core::attach_handler(std::span<const routing::typed_call> calls,
                                           const component::callable_type& type, void* callable) {
  return subscription(attach([&](std::uint64_t order) {
    return std::make_shared<component::event_entry>(order, calls, type, callable);
  }));
}

std::size_t consumer_core::deliver_rarely(routing::listed typed, delivery& d) const {
  const routing::listed every(any());
  observer* const watcher = d.component->watcher.get();
  if (watcher) watcher->accepted(d.step());
  std::size_t ran = 0;
  for (const routing::listed& each : {typed, every}) {
    for (const routing::item* item = each.begin; item != each.end; ++item) {
      ran += (watcher ? run_watched(*item, d, *watcher) : run_one(*item, d)) ? 1 : 0;
    }
  }
  if (ran == 0) {
    shared.unrouted.add();
    if (watcher) watcher->unrouted(d.step());
  }
  return ran;
}

void consumer_core::close() noexcept {
  senders.drop_all();
  router::close();
}

std::size_t producer_core::dispatch(value_ref event) const {
  delivery d(event);
  std::size_t ran = 0;
  {
    const snapshot::guard guard(guarded());
    observer* const told = watcher.get();
    if (told) [[unlikely]]
      told->accepted(d.step());
    const routing::listed bound(items());
    for (const routing::item* each = bound.begin; each != bound.end; ++each) {
      if (!each->entry->active()) continue;
      ran += static_cast<component::binding<consumer_core>*>(each->entry)->target().deliver(d);
    }
    if (ran == 0) [[unlikely]] {
      unrouted.add();
      if (told) told->unrouted(d.step());
    }
  }
  d.failed.throw_any();
  return ran;
}

}  // namespace msgbus::sync::detail
