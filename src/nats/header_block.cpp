#include "header_block.hpp"

#include <cassert>
#include <cstddef>
#include <cstring>

namespace msgbus::nats {

namespace {

constexpr std::string_view colon = ": ";
constexpr std::string_view line_end = "\r\n";
constexpr std::string_view first_line = "NATS/1.0\r\n";

char* put(char* at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// As nats.c: `isspace` in the C locale.
bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the next line from the block. False if it is no name with a value.
bool take_line(std::string_view& block, headers& into) {
  const std::size_t end = block.find('\n');
  if (end == std::string_view::npos || end == 0 || block[end - 1] != '\r') return false;
  const std::string_view line = block.substr(0, end - 1);
  const std::size_t after_name = line.find(':');
  if (after_name == std::string_view::npos || after_name == 0 || is_blank(line.front())) {
    return false;
  }
  into.add(line.substr(0, after_name), without_blanks(line.substr(after_name + 1)));
  block.remove_prefix(end + 1);
  return true;
}

}  // namespace

joined_headers::joined_headers(const headers& all) {
  assert(!all.empty() && "msgbus: no headers cannot be one");
  std::size_t size = 1;
  for (const auto& [name, value] : all) {
    size += name.size() + colon.size() + value.size() + line_end.size();
  }
  char* at = inside_.data();
  if (size > inside_.size()) {
    outside_.resize(size);
    at = outside_.data();
  }
  name_ = at;
  std::size_t left = all.size();
  for (const auto& [name, value] : all) {
    at = put(at, name);
    if (--left == 0) {
      value_ = value.c_str();
    } else {
      at = put(put(put(at, colon), value), line_end);
    }
  }
  *at = '\0';
}

bool read_header_block(std::string_view block, headers& into) {
  into.clear();
  if (!block.starts_with(first_line) || block.find('\0') != std::string_view::npos) return false;
  block.remove_prefix(first_line.size());
  while (block != line_end) {
    if (take_line(block, into)) continue;
    into.clear();
    return false;
  }
  return true;
}

}  // namespace msgbus::nats
