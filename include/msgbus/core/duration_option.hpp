#pragma once

/// The type of options that are durations.

#include <chrono>
#include <concepts>
#include <type_traits>

namespace msgbus::detail {

/// A duration of the steady clock. It converts from every duration without loss. A number without a
/// unit gets a sentence of its own: otherwise the compiler would say that no function fits
/// `{.timeout = 2}`.
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

}  // namespace msgbus::detail
