#pragma once

/// A handle for one thing that a bridge does.

#include <msgbus/bridge/detail/link_state.hpp>

#include <memory>
#include <string>
#include <utility>

namespace msgbus {

/// Copies refer to the same link; dropping it leaves it as it is. For any thread.
class bridge_link {
 public:
  bridge_link() = default;
  explicit bridge_link(std::shared_ptr<bridging::link_state> state) noexcept
      : state_(std::move(state)) {}

  /// Nothing new goes over it. What is being handled still is, and is settled.
  void cancel() noexcept {
    if (state_) state_->cancel();
  }

  /// Whether it was not cancelled, its component is there, and its stream has not ended it.
  [[nodiscard]] bool active() const noexcept { return state_ && state_->active(); }

  /// They add up (B5).
  [[nodiscard]] link_counters stats() const noexcept {
    return state_ ? state_->stats() : link_counters{};
  }

  /// For people: what it joins.
  [[nodiscard]] std::string name() const { return state_ ? state_->name() : std::string(); }

 private:
  std::shared_ptr<bridging::link_state> state_;
};

}  // namespace msgbus
