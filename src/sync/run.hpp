#pragma once

#include <msgbus/sync/detail/delivery.hpp>

namespace msgbus::sync::detail {

/// Calls a handler and tells the delivery's observer how that ended.
bool call_watched(const routing::item& item, const delivery& d);

/// Calls one handler, if it is still attached. Returns whether it took the message, also if it
/// threw; what it threw is in the delivery's failures.
inline bool run_one(const routing::item& item, const delivery& d) {
  if (!item.entry->active()) return false;
  if (d.watcher) [[unlikely]] return call_watched(item, d);
  try {
    return reinterpret_cast<call_handler>(item.call)(*item.entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
    return true;
  }
}

/// Calls the handlers from `item` to `end`, whatever the others do (D2), except those cancelled by
/// then (D4). Returns how many took the message.
inline std::size_t run(const routing::item* item, const routing::item* end, const delivery& d) {
  std::size_t ran = 0;
  for (; item != end; ++item) ran += run_one(*item, d) ? 1 : 0;
  return ran;
}

}  // namespace msgbus::sync::detail
