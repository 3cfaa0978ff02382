#include <msgbus/sync/detail/subscriber_core.hpp>

#include "run_watched.hpp"

#include <msgbus/core/convert.hpp>
#include <msgbus/core/error.hpp>
#include <msgbus/core/topic.hpp>

namespace msgbus::sync::detail {

namespace {

[[noreturn]] void throw_mismatch(const posting& posted, const std::string& handlers) {
  throw error(errc::type_mismatch, "message of type " + describe(posted.message) + " on topic '" +
                                       std::string(posted.known.topic()) +
                                       "' is not taken by what is there: " + handlers);
}

}  // namespace

std::size_t subscriber_core::deliver(posting& posted) const {
  const snapshot::guard guard(guarded());
  routing::matches found;
  find(posted.known.topic(), posted.hash, found);

  posted.component = &shared;
  observer* const watcher = shared.watcher.get();
  if (watcher) [[unlikely]]
    watcher->accepted(posted.step());
  std::size_t ran = 0;
  found.for_each([&](const routing::item& each) {
    if (watcher ? run_watched(each, posted, *watcher) : run_one(each, posted)) {
      ++ran;
    } else if (each.entry->active()) {
      posted.refused = true;
    }
  });
  if (ran == 0) [[unlikely]] {
    shared.unrouted.add();
    if (watcher) watcher->unrouted(posted.step());
  }
  return ran;
}

std::string subscriber_core::describe_handlers(const posting& posted) const {
  const snapshot::guard guard(guarded());
  routing::matches found;
  find(posted.known.topic(), posted.hash, found);
  std::string all;
  found.for_each([&](const routing::item& each) {
    if (each.entry->active()) all += (all.empty() ? "" : "; ") + each.entry->describe();
  });
  return all;
}

std::size_t subscriber_core::receive(value_ref message, std::string_view topic,
                                     std::size_t hash) const {
  posting posted(message, topic, hash);
  const std::size_t ran = deliver(posted);
  posted.failed.throw_any();
  if (ran == 0 && posted.refused) [[unlikely]]
    throw_mismatch(posted, describe_handlers(posted));
  return ran;
}

void subscriber_core::close() noexcept {
  senders.drop_all();
  router::close();
}

std::size_t publisher_core::publish(value_ref message, std::string_view topic,
                                    std::size_t hash) const {
  posting posted(message, topic, hash);
  std::size_t ran = 0;
  std::string refused_by;
  {
    const snapshot::guard guard(guarded());
    const routing::item_list* const bound = items();
    const std::size_t size = bound ? bound->size() : 0;
    observer* const told = watcher.get();
    if (size == 0 || told) check_topic(topic);  // otherwise the first subscriber does
    if (told) [[unlikely]]
      told->accepted(posted.step());
    for (std::size_t i = 0; i < size; ++i) {
      const routing::item& each = bound->begin()[i];
      if (!each.entry->active()) continue;
      ran += static_cast<binding<subscriber_core>*>(each.entry)->target().deliver(posted);
    }
    if (ran == 0) [[unlikely]] {
      unrouted.add();
      if (told) told->unrouted(posted.step());
      for (std::size_t i = 0; posted.refused && i < size; ++i) {
        const routing::item& each = bound->begin()[i];
        if (!each.entry->active()) continue;
        const auto& target = static_cast<binding<subscriber_core>*>(each.entry)->target();
        const std::string handlers = target.describe_handlers(posted);
        if (!handlers.empty()) refused_by += (refused_by.empty() ? "" : "; ") + handlers;
      }
    }
  }
  posted.failed.throw_any();
  if (ran == 0 && posted.refused) [[unlikely]]
    throw_mismatch(posted, refused_by);
  return ran;
}

}  // namespace msgbus::sync::detail
