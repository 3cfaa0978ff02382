#include <msgbus/sync/detail/consumer_core.hpp>

#include "run.hpp"

namespace msgbus::sync::detail {

namespace {

const context no_context;

}  // namespace

std::size_t consumer_core::deliver(value_ref event, failures& failed) const {
  const snapshot::guard guard(guarded());
  // Both sizes are taken now: handlers added from here on wait for the next event (D4).
  const routing::item_list* const typed = find(event.type);
  const routing::item_list* const every = any();
  const std::size_t typed_size = typed ? typed->size() : 0;
  const std::size_t every_size = every ? every->size() : 0;

  observer* const watcher = shared.watcher.get();
  const delivery d{event, no_context, shared.overrides_state, watcher, failed};
  if (watcher) [[unlikely]] watcher->accepted(d.step());
  std::size_t ran = 0;
  if (typed_size != 0) ran += run(typed->begin(), typed->begin() + typed_size, d);
  if (every_size != 0) ran += run(every->begin(), every->begin() + every_size, d);
  if (ran == 0) [[unlikely]] {
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
  failures failed;
  std::size_t ran = 0;
  {
    const snapshot::guard guard(guarded());
    observer* const told = watcher.get();
    if (told) [[unlikely]] told->accepted({event.type->name, {}});
    if (const routing::item_list* const bound = items()) {
      const std::size_t size = bound->size();
      for (const routing::item* each = bound->begin(); each != bound->begin() + size; ++each) {
        if (!each->entry->active()) continue;
        ran += static_cast<binding<consumer_core>*>(each->entry)->target().deliver(event, failed);
      }
    }
    if (ran == 0) [[unlikely]] {
      unrouted.add();
      if (told) told->unrouted({event.type->name, {}});
    }
  }
  failed.throw_any();
  return ran;
}

}  // namespace msgbus::sync::detail
