#include "transport/text.hpp"

#include <algorithm>

namespace msgbus {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t longest_character = 4;

unsigned char byte_of(char c) noexcept { return static_cast<unsigned char>(c); }

bool continues(char c) noexcept { return (byte_of(c) & 0xc0) == 0x80; }

/// How many bytes the character has that the text begins with; 0 if it is none. The second byte's
/// range excludes what has a shorter form, surrogates, and what is beyond U+10FFFF.
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
  // A character has so many bytes at most: what goes on for longer is none, and may be cut.
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

}  // namespace msgbus
