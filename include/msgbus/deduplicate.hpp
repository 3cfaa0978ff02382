#pragma once

/// A handler's memory of the messages that it has handled.

#include <msgbus/any_event.hpp>
#include <msgbus/detail/core/durations.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace msgbus {

/// Handles a message once whose key came before: `{.window = 10min}`. The second counts as handled,
/// without a run of the handler. One that comes while the first is being handled waits for its
/// outcome: a message that has failed or was cancelled is forgotten, so the second runs. (A sync
/// handler waits for nothing: there, the second throws `in_flight`.)
struct deduplicate {
  detail::duration_option window = {};  ///< for how long a message is remembered; zero: not at all
  std::size_t capacity = 100'000;       ///< how many are remembered; beyond that the oldest goes
  /// The key; empty: the message's id (`context::message_id`). A message with an empty key is no
  /// duplicate of anything.
  std::function<std::string(const any_event&)> key = {};

  /// Whether it has no effect (P9).
  [[nodiscard]] bool is_plain() const noexcept { return window <= window.zero(); }
};

}  // namespace msgbus
