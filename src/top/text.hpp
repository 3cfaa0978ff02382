#pragma once

/// Texts for a terminal: numbers, times, columns. Pure.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace msgbus::top {

/// The text without what a terminal would obey: control characters, and bytes that are no UTF-8,
/// become U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// The columns that a printable text takes.
[[nodiscard]] std::size_t width(std::string_view text);

/// The text with exactly `columns`: cut, with an ellipsis, or filled with spaces.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns, bool right = false);

[[nodiscard]] std::string count(std::uint64_t value);
[[nodiscard]] std::string rate(double value);
[[nodiscard]] std::string duration(double seconds);

}  // namespace msgbus::top
