#pragma once

/// The call of one handler of a delivery.

#include <msgbus/sync/detail/delivery.hpp>

namespace msgbus::sync::detail {

/// Calls one handler, if it is still attached (D4). Returns whether it accepted the message, also
/// if it threw; its exception is in the failures of the delivery (D2).
inline bool run_one(const routing::route_entry& route, delivery& d) {
  if (!route.entry->active()) return false;
  try {
    return reinterpret_cast<call_handler>(route.call)(*route.entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
    return true;
  }
}

}  // namespace msgbus::sync::detail
