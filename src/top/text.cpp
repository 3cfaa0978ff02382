#include "top/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cwchar>
#include <vector>

namespace msgbus::top {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::string_view ellipsis = "\xe2\x80\xa6";

struct character {
  char32_t value = 0;
  std::size_t size = 1;
  bool valid = false;
};

/// The character at the begin of a text that is not empty.
character first_of(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  char32_t value = lead & (0x7fu >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(at) & 0x3fu);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, size, true};
}

/// Also those that change the direction of what follows.
bool is_obeyed(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || (value >= 0x200e && value <= 0x200f) ||
         (value >= 0x2028 && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
}

std::size_t width_of(char32_t value) {
  if (value < 0x80) return 1;
  const int columns = ::wcwidth(static_cast<wchar_t>(value));  // -1 where the locale lacks it
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

std::string with(const char* format, double value) {
  char text[48];
  const int size = std::snprintf(text, sizeof text, format, value);
  return {text, static_cast<std::size_t>(std::max(0, size))};
}

/// Two digits at least.
std::string digits(double value) { return with(value < 9.95 ? "%.1f" : "%.0f", value); }

}  // namespace

std::string printable(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const character one = first_of(text);
    if (!one.valid || is_obeyed(one.value)) {
      made += replacement;
    } else {
      made += text.substr(0, one.size);
    }
    text.remove_prefix(one.size);
  }
  return made;
}

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const character one = first_of(text);
    columns += width_of(one.value);
    text.remove_prefix(one.size);
  }
  return columns;
}

std::string fitted(std::string_view text, std::size_t columns, bool right) {
  const std::size_t all = width(text);
  if (all <= columns) {
    const std::string space(columns - all, ' ');
    return right ? space + std::string(text) : std::string(text) + space;
  }
  if (columns == 0) return {};
  std::string made;
  std::size_t used = 0;
  while (!text.empty()) {
    const character one = first_of(text);
    if (used + width_of(one.value) > columns - 1) break;
    used += width_of(one.value);
    made += text.substr(0, one.size);
    text.remove_prefix(one.size);
  }
  made += ellipsis;
  return made + std::string(columns - 1 - used, ' ');
}

std::string count(std::uint64_t value) {
  if (value < 100'000) return std::to_string(value);
  const auto number = static_cast<double>(value);
  return value < 10'000'000 ? with("%.0fk", number / 1e3) : with("%.0fM", number / 1e6);
}

std::string rate(double value) {
  if (value <= 0) return "0";
  if (value < 0.05) return "<0.1";
  return value < 9.95 ? with("%.1f", value)
                      : count(static_cast<std::uint64_t>(std::llround(value)));
}

std::string duration(double seconds) {
  if (seconds <= 0) return "0";
  if (seconds < 1e-6) return "<1us";
  if (seconds < 1e-3) return digits(seconds * 1e6) + "us";
  if (seconds < 1) return digits(seconds * 1e3) + "ms";
  if (seconds < 60) return digits(seconds) + "s";
  if (seconds < 3600) return with("%.0fmin", std::floor(seconds / 60));
  if (seconds < 48 * 3600.0) return digits(seconds / 3600) + "h";
  return with("%.0fd", std::floor(seconds / 86400));
}

}  // namespace msgbus::top
