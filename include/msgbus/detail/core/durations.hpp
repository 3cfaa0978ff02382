#pragma once

/// Durations as options, and arithmetic on times without overflow.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <concepts>
#include <type_traits>

namespace msgbus::detail {

/// A duration of the steady clock. It converts from every duration without loss. A number without a
/// unit is an error with a sentence. Without that constructor, the compiler would only report that
/// no function accepts `{.timeout = 2}`.
class duration_option : public std::chrono::steady_clock::duration {
  using base = std::chrono::steady_clock::duration;

 public:
  constexpr duration_option() noexcept : base(base::zero()) {}

  template <class Rep, class Period>
    requires std::convertible_to<std::chrono::duration<Rep, Period>, base>
  constexpr duration_option(const std::chrono::duration<Rep, Period>& value) : base(value) {}

  template <class Number>
    requires std::is_arithmetic_v<Number>
  constexpr duration_option(Number) : duration_option() {
    static_assert(!std::is_arithmetic_v<Number>,
                  "msgbus: a time has a unit: write 2s (using namespace std::chrono_literals) or "
                  "std::chrono::seconds(2)");
  }
};

/// `from + by`, or the largest time. `time_point::max()` is never reached.
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

/// `until`, but at most an hour from now: for waits of the standard library, which overflow with
/// later times. The caller repeats the wait until `until` has passed.
template <class Clock, class Duration>
[[nodiscard]] std::chrono::time_point<Clock, Duration> within_an_hour(
    std::chrono::time_point<Clock, Duration> until) noexcept {
  const auto soon = saturating_add(Clock::now(), std::chrono::hours(1));
  return until < soon ? until : soon;
}

}  // namespace msgbus::detail
