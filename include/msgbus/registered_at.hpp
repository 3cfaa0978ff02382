#pragma once

/// The line of the program that attaches a handler or replaces a dependency.

#include <msgbus/detail/core/config.hpp>

#include <cstdint>
#include <iosfwd>
#include <source_location>
#include <string_view>

namespace msgbus {

/// The last parameter of functions that attach a handler or an override. Its default is the line of
/// the call; `describe` and `explain` show it. A function that attaches handlers for its callers
/// passes on their line:
///
///     void audited(handler f, registered_at line = std::source_location::current()) {
///       orders.handler(std::move(f), line);
///     }
class registered_at {
 public:
  /// The line of a `std::source_location`.
  constexpr registered_at(const std::source_location& line) noexcept : line_(line) {}

  /// The path of the file, as the compiler was given it; empty if it is unknown.
  [[nodiscard]] constexpr std::string_view file() const noexcept { return line_.file_name(); }
  /// The number of the line; 0 if it is unknown.
  [[nodiscard]] constexpr std::uint_least32_t line() const noexcept { return line_.line(); }
  /// As it was given.
  [[nodiscard]] constexpr const std::source_location& location() const noexcept { return line_; }

 private:
  std::source_location line_;
};
/// Writes `file.cpp:41`.
std::ostream& operator<<(std::ostream& out, const registered_at& value);

}  // namespace msgbus
