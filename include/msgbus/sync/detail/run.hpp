#pragma once

/// How one handler of a delivery is called.

#include <msgbus/sync/detail/delivery.hpp>

namespace msgbus::sync::detail {

/// Calls one handler, if it is still attached (D4). Returns whether it took the message, also if
/// it threw; what it threw is in the delivery's failures (D2).
inline bool run_one(const routing::item& item, delivery& d) {
  if (!item.entry->active()) return false;
  try {
    return reinterpret_cast<call_handler>(item.call)(*item.entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
    return true;
  }
}

}  // namespace msgbus::sync::detail
