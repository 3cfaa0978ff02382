#pragma once

/// What every component has besides its routes.

#include <msgbus/di/provider_state.hpp>
#include <msgbus/observe/observer_slot.hpp>
#include <msgbus/observe/striped_counter.hpp>
#include <msgbus/routing/entry.hpp>

#include <memory>
#include <string>

namespace msgbus {
class provider;
}  // namespace msgbus

namespace msgbus::component {

/// A component's overrides, its observer, and how many messages nobody handled (D3). Read by every
/// dispatch, from any thread.
struct parts {
  /// Without overrides to share it has its own.
  explicit parts(std::shared_ptr<provider> given);

  const std::shared_ptr<provider> overrides;
  const di::provider_state& overrides_state;
  observer_slot watcher;
  striped_counter unrouted;
};

/// Names a `routing::entry`, for the errors of what is injected into its handler.
inline std::string describe_entry(const void* entry) {
  return static_cast<const routing::entry*>(entry)->describe();
}

}  // namespace msgbus::component
