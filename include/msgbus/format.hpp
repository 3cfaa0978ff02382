#pragma once

/// `std::format` for values of the library, such as `receipt`, `counters` and `drain_report`:
///
///     std::format("{:>60}", consumer.stats());
///
/// The text is that of `operator<<`, with the format of a string. The header needs a standard
/// library with `std::format`; without it, the header has no effect.

#include <msgbus/detail/core/type_name.hpp>

#include <ostream>
#include <ranges>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <version>

#if defined(__cpp_lib_format)
#include <format>
#endif

namespace msgbus::detail {

/// A type of the library that a stream prints. Containers have formats of their own.
template <class T>
concept formattable = (std::is_class_v<T> || std::is_enum_v<T>) && !std::ranges::range<T> &&
                      type_name<T>().starts_with("msgbus::") &&
                      requires(std::ostream& out, const T& value) { out << value; };

}  // namespace msgbus::detail

#if defined(__cpp_lib_format)
template <msgbus::detail::formattable T>
struct std::formatter<T, char> : std::formatter<std::string_view, char> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    std::ostringstream text;
    text << value;
    return std::formatter<std::string_view, char>::format(text.view(), context);
  }
};
#endif
