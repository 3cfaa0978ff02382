#include <msgbus/sync/detail/consumer_core.hpp>

#include "run.hpp"

namespace msgbus::sync::detail {

namespace {

/// A list as it is now: handlers added from here on wait for the next event (D4).
struct listed {
  explicit listed(const routing::item_list* list)
      : begin(list ? list->begin() : nullptr), end(list ? begin + list->size() : nullptr) {}
  const routing::item* begin;
  const routing::item* end;
};

/// What is rarely needed: handlers of any event, an observer, an event without a handler.
[[gnu::noinline]] std::size_t deliver_rarely(const consumer_core& to, listed typed,
                                             delivery& d) {
  const listed every(to.any());
  observer* const watcher = d.component->watcher.get();
  if (watcher) watcher->accepted(d.step());
  std::size_t ran = 0;
  for (const listed& each : {typed, every}) {
    for (const routing::item* item = each.begin; item != each.end; ++item) {
      ran += (watcher ? run_watched(*item, d, *watcher) : run_one(*item, d)) ? 1 : 0;
    }
  }
  if (ran == 0) {
    to.shared.unrouted.add();
    if (watcher) watcher->unrouted(d.step());
  }
  return ran;
}

}  // namespace

std::size_t consumer_core::deliver(delivery& d) const {
  const snapshot::guard guard(guarded());
  d.component = &shared;
  const listed typed(find(d.message.type));
  if (typed.begin == typed.end || any() || shared.watcher.get()) [[unlikely]] {
    return deliver_rarely(*this, typed, d);
  }
  std::size_t ran = 0;
  const routing::item* item = typed.begin;
  do ran += run_one(*item, d) ? 1 : 0;
  while (++item != typed.end);
  if (ran == 0) [[unlikely]] shared.unrouted.add();  // all were cancelled on the way
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
    if (told) [[unlikely]] told->accepted(d.step());
    const listed bound(items());
    for (const routing::item* each = bound.begin; each != bound.end; ++each) {
      if (!each->entry->active()) continue;
      ran += static_cast<binding<consumer_core>*>(each->entry)->target().deliver(d);
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
