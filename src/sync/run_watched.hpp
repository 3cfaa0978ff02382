#pragma once

#include <msgbus/sync/detail/run.hpp>

namespace msgbus::sync::detail {

/// `run_one`, and tells the observer how it ended.
bool run_watched(const routing::route_entry& route, delivery& d, observer& observer);

}  // namespace msgbus::sync::detail
