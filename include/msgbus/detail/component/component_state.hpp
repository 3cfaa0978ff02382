#pragma once

/// The parts that every component has, other than its routes.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/observe/observer_slot.hpp>
#include <msgbus/detail/observe/outcomes.hpp>
#include <msgbus/detail/routing/entry.hpp>
#include <msgbus/provider.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace msgbus::component {

/// The overrides and the observer of a component. Every dispatch reads them, on any thread.
class component_state {
 public:
  /// With null, the component has its own overrides, made on first use.
  explicit component_state(std::shared_ptr<provider> given);

  /// For changes, on any thread.
  [[nodiscard]] provider& overrides();

  /// The current overrides; valid as long as this object. The first override is visible to runs of
  /// handlers that read it afterwards.
  [[nodiscard]] const component::provider_state& overrides_state() const noexcept {
    return *state_.load(std::memory_order_acquire);
  }

 private:
  struct share {
    std::shared_ptr<provider> of = std::make_shared<provider>();
  };
  [[nodiscard]] static std::unique_ptr<share> share_of(std::shared_ptr<provider> given);
  [[nodiscard]] static const component::provider_state& state_of(const share* overrides);

  on_demand<share> overrides_;
  std::atomic<const component::provider_state*>
      state_;  // of the overrides; before the first one, an empty state

 public:
  observer_slot attached_observer;
};

/// The parts, and the number of messages without a handler (D3).
class counted_component_state : public component_state {
 public:
  using component_state::component_state;
  striped_counter unrouted;
};

/// Names a `routing::entry`, for errors of injection.
inline std::string describe_entry(const void* entry) {
  return static_cast<const routing::entry*>(entry)->describe();
}

}  // namespace msgbus::component
