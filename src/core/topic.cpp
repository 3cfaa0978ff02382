#include <msgbus/topic.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

namespace msgbus::detail {

namespace {

[[noreturn]] void refuse(const char* kind, std::string_view text, const char* fault) {
  throw error(errc::invalid_topic,
              std::string("invalid ") + kind + " '" + std::string(text) + "': " + fault);
}

}  // namespace

namespace {

bool is_ordinary(const char* text, std::size_t size) noexcept {
  return size > 1 || (size == 1 && *text != '*' && *text != '>');
}

}  // namespace

namespace {

bool add_token(topic_tokens& tokens, const char* start, const char* end) noexcept {
  const auto size = static_cast<std::size_t>(end - start);
  if (!is_ordinary(start, size) || tokens.count == topic_tokens::most) return false;
  tokens.at[tokens.count++] = {start, size};
  return true;
}

bool split_by_byte(std::string_view topic, topic_tokens& tokens) noexcept {
  tokens.count = 0;
  const char* start = topic.data();
  const char* const end = start + topic.size();
  for (const char* at = start; at != end; ++at) {
    if (*at == '.') {
      if (!add_token(tokens, start, at)) return false;
      start = at + 1;
    } else if (static_cast<unsigned char>(*at) <= ' ' && topic_fault({at, 1}, false) != nullptr) {
      return false;
    }
  }
  return add_token(tokens, start, end);
}

// The highest bit of each byte that is a dot, or that is at most a space.
constexpr std::uint64_t each_byte = 0x0101010101010101;

constexpr std::uint64_t dots_in(std::uint64_t word) noexcept {
  word ^= each_byte * '.';
  return ~(((word & each_byte * 0x7f) + each_byte * 0x7f) | word) & each_byte * 0x80;
}
constexpr std::uint64_t spaces_in(std::uint64_t word) noexcept {
  return ~(((word & each_byte * 0x7f) + each_byte * (0x7f - ' ')) | word) & each_byte * 0x80;
}

}  // namespace

bool split_topic(std::string_view topic, topic_tokens& tokens) noexcept {
  constexpr std::size_t step = 8;
  if (topic.size() < step) return split_by_byte(topic, tokens);
  const char* const end = topic.data() + topic.size();
  const char* start = topic.data();
  tokens.count = 0;
  for (const char* at = start; at != end;) {
    const char* const from = std::min(at, end - step);  // may read some bytes twice
    const std::uint64_t word = load<std::uint64_t>(from);
    if (spaces_in(word) != 0) return split_by_byte(topic, tokens);
    std::uint64_t dots = dots_in(word) & (~std::uint64_t{0} << (8 * (at - from)));
    for (; dots != 0; dots &= dots - 1) {
      const char* const dot = from + std::countr_zero(dots) / 8;
      if (!add_token(tokens, start, dot)) return false;
      start = dot + 1;
    }
    at = from + step;
  }
  return add_token(tokens, start, end);
}

void check_topic(std::string_view topic) {
  if (const char* fault = topic_fault(topic, false)) refuse("topic", topic, fault);
}

void check_pattern(std::string_view pattern) {
  if (const char* fault = topic_fault(pattern, true)) refuse("pattern", pattern, fault);
}

}  // namespace msgbus::detail
