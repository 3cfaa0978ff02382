#include "observe/escape.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace msgbus::detail {

namespace {

bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.:/<>,*").find(c) != std::string_view::npos;
}

}  // namespace

std::string json_string(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string made = "\"";
  for (const char c : to_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      made += '\\';
      made += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      made += "\\u00";
      made += digits[byte >> 4U];
      made += digits[byte & 15U];
    } else {
      made += c;
    }
  }
  made += '"';
  return made;
}

std::string logfmt_value(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return escaped(made) + '"';
}

}  // namespace msgbus::detail
