#include "core/text.hpp"

#include <msgbus/error.hpp>
#include <msgbus/version.hpp>

#include <algorithm>
#include <cstdio>
#include <string>

namespace msgbus::detail {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t longest_character = 4;

unsigned char byte_of(char c) noexcept { return static_cast<unsigned char>(c); }

bool continues(char c) noexcept { return (byte_of(c) & 0xc0) == 0x80; }

/// The number of bytes of the text's first character; 0 if its bytes are no character. The range of
/// the second byte excludes overlong forms, surrogates, and code points above U+10FFFF.
std::size_t character_size(std::string_view text) noexcept {
  const unsigned char first = byte_of(text.front());
  if (first < 0x80) return 1;
  std::size_t size = 0;
  unsigned char lowest = 0x80;
  unsigned char highest = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    if (first == 0xe0) lowest = 0xa0;
    if (first == 0xed) highest = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    if (first == 0xf0) lowest = 0x90;
    if (first == 0xf4) highest = 0x8f;
  }
  if (size == 0 || text.size() < size) return 0;
  if (byte_of(text[1]) < lowest || byte_of(text[1]) > highest) return 0;
  const std::string_view rest = text.substr(2, size - 2);
  return std::all_of(rest.begin(), rest.end(), continues) ? size : 0;
}

bool is_control(char c) noexcept { return byte_of(c) < ' ' || c == '\x7f'; }

/// Whether a character may end a line or control a terminal: also U+0080 to U+009F, U+2028, U+2029.
bool breaks_line(std::string_view character) noexcept {
  if (character.size() == 1) return is_control(character.front());
  if (character.size() == 2) return character[0] == '\xc2' && byte_of(character[1]) < 0xa0;
  return character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9";
}

void append_hex(std::string& to, unsigned value, int digits) {
  for (int at = digits - 1; at >= 0; --at) to += "0123456789abcdef"[(value >> (4 * at)) & 0xf];
}

void append_byte(std::string& to, char c) {
  switch (c) {
    case '\n': to += "\\n"; return;
    case '\r': to += "\\r"; return;
    case '\t': to += "\\t"; return;
    default: to += "\\x"; append_hex(to, byte_of(c), 2);
  }
}

bool is_in_a_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-.:/<>,*").find(c) != std::string_view::npos;
}

}  // namespace

std::size_t find_not_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return std::string_view::npos;
}

std::string to_utf8(std::string_view text) {
  std::string made;
  while (!text.empty()) {
    const std::size_t right = std::min(find_not_utf8(text), text.size());
    made += text.substr(0, right);
    text.remove_prefix(right);
    if (text.empty()) break;
    made += replacement;
    text.remove_prefix(1);
  }
  return made;
}

std::string_view first_characters(std::string_view text, std::size_t most_bytes) noexcept {
  if (text.size() <= most_bytes) return text;
  std::size_t end = most_bytes;
  // A character has at most `longest_character` bytes. A longer run of continuation bytes is no
  // character, and may be cut.
  const std::size_t earliest = end < longest_character ? 0 : end - longest_character + 1;
  while (end > earliest && continues(text[end])) --end;
  return text.substr(0, continues(text[end]) ? most_bytes : end);
}

std::string shortened(std::string_view text, std::size_t most_bytes) {
  const std::string all = to_utf8(first_characters(text, most_bytes));
  const std::string_view beginning = first_characters(all, most_bytes);
  std::string made(beginning);
  if (beginning.size() < all.size() || text.size() > most_bytes) made += "...";
  return made;
}

std::string one_line(std::string_view text, std::size_t most_bytes) {
  std::string all = to_utf8(first_characters(text, most_bytes));
  std::replace_if(all.begin(), all.end(), is_control, ' ');
  std::string_view line = first_characters(all, most_bytes);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return std::string(line);
}

std::string escaped(std::string_view text) {
  std::string made;
  made.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    text.remove_prefix(character.size());
    if (size <= 1 && (size == 0 || is_control(character.front()))) {
      append_byte(made, character.front());
    } else if (breaks_line(character)) {
      made += "\\u";
      append_hex(made, size == 2 ? byte_of(character[1]) : 0x2000U + (byte_of(character[2]) & 0x3f),
                 4);
    } else {
      made += character;
    }
  }
  return made;
}

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
  if (!text.empty() && std::ranges::all_of(text, is_in_a_word)) return std::string(text);
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return escaped(made) + '"';
}

void say(std::initializer_list<std::string_view> parts,
         const std::exception_ptr& failure) noexcept {
  try {
    std::string line;
    for (const std::string_view each : parts) line += each;
    if (failure) line += msgbus::describe(failure);
    line = "msgbus: " + escaped(line) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  } catch (...) {
    std::fputs("msgbus: an error cannot be reported: out of memory\n", stderr);
  }
}

void say_thrown_by(std::string_view where) noexcept {
  say({where, " threw an exception, which it must not do: "}, std::current_exception());
}

}  // namespace msgbus::detail

namespace msgbus {

int version() noexcept { return MSGBUS_VERSION; }

const char* version_string() noexcept { return MSGBUS_VERSION_STRING; }

}  // namespace msgbus
