#pragma once

/// A handler's memory of the messages that it has handled.

#include <msgbus/any_event.hpp>
#include <msgbus/detail/core/durations.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace msgbus {

/// Skips messages whose key the handler has handled before: `{.window = 10min}`. A second message
/// with the same key counts as handled, without a run of the handler. If the first one is still
/// being handled, the second waits for its outcome. A message that failed or was cancelled is
/// forgotten, so the second runs. In the sync family, no handler waits: the second throws
/// `in_flight`.
struct deduplicate {
  detail::duration_option window = {};  ///< for how long a message is remembered; zero: not at all
  /// How many are remembered, at least 1; beyond that the oldest goes.
  std::size_t capacity = 100'000;
  /// The key; empty: the message's id (`context::message_id`). A message with an empty key is no
  /// duplicate of anything. Without a window, a key is a mistake.
  std::function<std::string(const any_event&)> key = {};

  /// Whether it has no effect (P9).
  [[nodiscard]] bool is_plain() const noexcept { return window <= window.zero(); }
};

}  // namespace msgbus
