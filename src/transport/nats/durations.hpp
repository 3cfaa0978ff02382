#pragma once

/// Durations as numbers, for servers and for nats.c. Both add them to dates without a look, so the
/// longest is cut to one that they can add. Pure.

#include <msgbus/transport/transport.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace msgbus::nats {

/// For a server, which counts nanoseconds since 1970: for ever is a hundred years.
[[nodiscard]] inline std::int64_t nanoseconds(std::chrono::nanoseconds of) noexcept {
  constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 36500);
  return std::min(of, longest).count();
}

/// For nats.c, which keeps milliseconds in an `int` in places: for ever is 24 days, after which it
/// tries again. At least 1.
[[nodiscard]] inline std::int64_t milliseconds(std::chrono::nanoseconds of) noexcept {
  constexpr std::int64_t longest = std::numeric_limits<std::int32_t>::max();
  const auto all = std::chrono::duration_cast<std::chrono::milliseconds>(of).count();
  return std::clamp<std::int64_t>(all, 1, longest);
}

}  // namespace msgbus::nats
