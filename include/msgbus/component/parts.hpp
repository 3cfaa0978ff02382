#pragma once

/// What every component has besides its routes.

#include <msgbus/core/on_demand.hpp>
#include <msgbus/di/provider.hpp>
#include <msgbus/di/provider_state.hpp>
#include <msgbus/observe/observer_slot.hpp>
#include <msgbus/observe/striped_counter.hpp>
#include <msgbus/routing/entry.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace msgbus::component {

/// A component's overrides and its observer. Read by every dispatch, from any thread.
class parts {
 public:
  /// Without overrides to share it has its own, which are made when they are needed.
  explicit parts(std::shared_ptr<provider> given);

  /// To change them. For any thread.
  [[nodiscard]] provider& overrides();

  /// As they are now; it stays good as long as this. What is overridden first applies to
  /// invocations that look after that.
  [[nodiscard]] const di::provider_state& overrides_state() const noexcept {
    return *state_.load(std::memory_order_acquire);
  }

 private:
  struct share {
    std::shared_ptr<provider> of = std::make_shared<provider>();
  };
  [[nodiscard]] static std::unique_ptr<share> share_of(std::shared_ptr<provider> given);
  [[nodiscard]] static const di::provider_state& state_of(const share* overrides);

  on_demand<share> overrides_;
  std::atomic<const di::provider_state*> state_;  // theirs; before they are made, one without any

 public:
  observer_slot watcher;
};

/// The same, and how many messages nobody handled (D3).
class counted_parts : public parts {
 public:
  using parts::parts;
  striped_counter unrouted;
};

/// Names a `routing::entry`, for the errors of what is injected into its handler.
inline std::string describe_entry(const void* entry) {
  return static_cast<const routing::entry*>(entry)->describe();
}

}  // namespace msgbus::component
