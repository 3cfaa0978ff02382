#pragma once

/// Arithmetic with times that does not overflow: the largest duration means "for ever", and a
/// negative one "over already".

#include <msgbus/core/namespaces.hpp>

#include <chrono>
#include <type_traits>

namespace msgbus::detail {

/// `from + by`, or the end of time. `time_point::max()` never comes.
template <class Clock, class Duration>
[[nodiscard]] constexpr std::chrono::time_point<Clock, Duration> saturating_add(
    std::chrono::time_point<Clock, Duration> from, std::type_identity_t<Duration> by) noexcept {
  using point = std::chrono::time_point<Clock, Duration>;
  if (by >= Duration::zero()) return from > point::max() - by ? point::max() : from + by;
  return from < point::min() - by ? point::min() : from + by;
}

/// `to - from`, or the longest that there is.
template <class Clock, class Duration>
[[nodiscard]] constexpr Duration saturating_sub(
    std::chrono::time_point<Clock, Duration> to,
    std::type_identity_t<std::chrono::time_point<Clock, Duration>> from) noexcept {
  const Duration a = to.time_since_epoch();
  const Duration b = from.time_since_epoch();
  if (b >= Duration::zero()) return a < Duration::min() + b ? Duration::min() : a - b;
  return a > Duration::max() + b ? Duration::max() : a - b;
}

/// For waits of the standard library and the like, which overflow: no more than an hour from now.
/// Such a wait is repeated until its time has come.
template <class Clock, class Duration>
[[nodiscard]] std::chrono::time_point<Clock, Duration> within_an_hour(
    std::chrono::time_point<Clock, Duration> until) noexcept {
  const auto soon = saturating_add(Clock::now(), std::chrono::hours(1));
  return until < soon ? until : soon;
}

}  // namespace msgbus::detail
