#pragma once

/// Arithmetic with times, without overflow. The largest duration means "for ever"; a negative one
/// has already passed.

#include <msgbus/core/namespaces.hpp>

#include <chrono>
#include <type_traits>

namespace msgbus::detail {

/// `from + by`, or the largest time. `time_point::max()` never comes.
template <class Clock, class Duration>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration> saturating_add(
    std::chrono::time_point<Clock, Duration> from, std::type_identity_t<Duration> by) noexcept {
  using point = std::chrono::time_point<Clock, Duration>;
  if (by >= Duration::zero()) return from > point::max() - by ? point::max() : from + by;
  return from < point::min() - by ? point::min() : from + by;
}

/// `to - from`, or the longest duration.
template <class Clock, class Duration>
[[nodiscard]] constexpr Duration saturating_sub(
    std::chrono::time_point<Clock, Duration> to,
    std::type_identity_t<std::chrono::time_point<Clock, Duration>> from) noexcept {
  const Duration a = to.time_since_epoch();
  const Duration b = from.time_since_epoch();
  if (b >= Duration::zero()) return a < Duration::min() + b ? Duration::min() : a - b;
  return a > Duration::max() + b ? Duration::max() : a - b;
}

/// For waits of the standard library, which overflow: at most an hour from now. Repeat such a wait
/// until its time has come.
template <class Clock, class Duration>
[[nodiscard]] std::chrono::time_point<Clock, Duration> within_an_hour(
    std::chrono::time_point<Clock, Duration> until) noexcept {
  const auto soon = saturating_add(Clock::now(), std::chrono::hours(1));
  return until < soon ? until : soon;
}

}  // namespace msgbus::detail
