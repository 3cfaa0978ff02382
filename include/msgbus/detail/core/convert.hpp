#pragma once

/// Conversions without loss (T5): string-like types to `std::string` and `std::string_view`,
/// integers to every arithmetic type that holds the value, `float` to `double`. Nothing else
/// converts.

#include <msgbus/detail/core/type_key.hpp>

#include <bit>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace msgbus::detail {

/// The types to which other types convert.
template <class T>
concept conversion_target = integer_like<T> || std::floating_point<T> ||
                            std::same_as<T, std::string> || std::same_as<T, std::string_view>;

/// Whether values of the type `from` may convert to `T`. Not for exact matches.
template <class T>
[[nodiscard]] bool converts_from(type_key from) noexcept {
  if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    return from->text != nullptr;
  } else if constexpr (integer_like<T> || std::floating_point<T>) {
    return from->integer != nullptr || (std::same_as<T, double> && from->single != nullptr);
  } else {
    return false;
  }
}

template <class T>
std::optional<T> integer_to(integer_value value) noexcept {
  if constexpr (std::floating_point<T>) {
    // Exact if the digits between the highest and the lowest set bit fit in the mantissa.
    if (value.magnitude != 0) {
      const int digits = 64 - std::countl_zero(value.magnitude) - std::countr_zero(value.magnitude);
      if (digits > std::numeric_limits<T>::digits) return std::nullopt;
    }
    const T number = static_cast<T>(value.magnitude);
    return value.negative ? -number : number;
  } else {
    constexpr auto highest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if (!value.negative) {
      if (value.magnitude > highest) return std::nullopt;
      return static_cast<T>(value.magnitude);
    }
    if constexpr (std::is_signed_v<T>) {
      if (value.magnitude > highest + 1) return std::nullopt;
      return static_cast<T>(std::uint64_t{0} - value.magnitude);
    } else {
      return std::nullopt;
    }
  }
}

/// The value as a `T`; empty if it does not convert, or is out of range. A `string_view` refers to
/// the original value.
template <class T>
[[nodiscard]] std::optional<T> converted(value_ref value) {
  if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    if (value.type->text) {
      if (const text_value text = value.type->text(value.data)) return T(*text);
    }
  } else if constexpr (integer_like<T> || std::floating_point<T>) {
    if (value.type->integer) return integer_to<T>(value.type->integer(value.data));
    if constexpr (std::same_as<T, double>) {
      if (value.type->single) return static_cast<double>(value.type->single(value.data));
    }
  }
  return std::nullopt;
}

/// For errors: `300 (int)`, or only the type if the value is no number.
[[nodiscard]] std::string describe(value_ref value);

}  // namespace msgbus::detail
