#pragma once

/// A handle for one link of a bridge.

#include <msgbus/detail/bridge/link_state.hpp>

#include <memory>
#include <string>
#include <utility>

namespace msgbus {

/// Copies refer to the same link. Destroying a handle leaves the link active. Thread-safe.
class bridge_link {
 public:
  /// Refers to no link.
  bridge_link() = default;

  /// Made by the bridge.
  explicit bridge_link(std::shared_ptr<bridging::link_state> state) noexcept
      : state_(std::move(state)) {}

  /// Ends the link: no new message passes. Messages in flight are still handled and settled.
  void cancel() noexcept {
    if (state_) state_->cancel();
  }

  /// Whether the link is in use: it was not cancelled, its component exists, and its stream has not
  /// ended it.
  [[nodiscard]] bool active() const noexcept { return state_ && state_->active(); }

  /// The counts of this link. They add up (B5).
  [[nodiscard]] link_counters stats() const noexcept {
    return state_ ? state_->stats() : link_counters{};
  }

  /// A description of the link, for people.
  [[nodiscard]] std::string name() const { return state_ ? state_->name() : std::string(); }

 private:
  std::shared_ptr<bridging::link_state> state_;
};

}  // namespace msgbus
