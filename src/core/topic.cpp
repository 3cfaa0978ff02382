#include <msgbus/core/topic.hpp>

#include <string>

namespace msgbus::detail {

namespace {

[[noreturn]] void refuse(const char* what, std::string_view text, const char* fault) {
  throw error(errc::invalid_topic,
              std::string("invalid ") + what + " '" + std::string(text) + "': " + fault);
}

}  // namespace

void check_topic(std::string_view topic) {
  if (const char* fault = topic_fault(topic, false)) refuse("topic", topic, fault);
}

void check_pattern(std::string_view pattern) {
  if (const char* fault = topic_fault(pattern, true)) refuse("pattern", pattern, fault);
}

}  // namespace msgbus::detail
