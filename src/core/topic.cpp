#include <msgbus/core/topic.hpp>

#include <string>

namespace msgbus::detail {

namespace {

[[noreturn]] void refuse(const char* what, std::string_view text, const char* fault) {
  throw error(errc::invalid_topic,
              std::string("invalid ") + what + " '" + std::string(text) + "': " + fault);
}

}  // namespace

namespace {

bool is_ordinary(const char* text, std::size_t size) noexcept {
  return size > 1 || (size == 1 && *text != '*' && *text != '>');
}

}  // namespace

bool split_topic(std::string_view topic, topic_tokens& tokens) noexcept {
  const char* start = topic.data();
  const char* const end = start + topic.size();
  for (const char* at = start;; ++at) {
    if (at != end && *at != '.') {
      const auto c = static_cast<unsigned char>(*at);
      if (c <= ' ' && topic_fault({at, 1}, false) != nullptr) return false;
      continue;
    }
    const auto size = static_cast<std::size_t>(at - start);
    if (!is_ordinary(start, size) || tokens.count == topic_tokens::most) return false;
    tokens.at[tokens.count++] = {start, size};
    if (at == end) return true;
    start = at + 1;
  }
}

void check_topic(std::string_view topic) {
  if (const char* fault = topic_fault(topic, false)) refuse("topic", topic, fault);
}

void check_pattern(std::string_view pattern) {
  if (const char* fault = topic_fault(pattern, true)) refuse("pattern", pattern, fault);
}

}  // namespace msgbus::detail
