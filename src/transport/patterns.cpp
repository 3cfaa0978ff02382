#include "transport/patterns.hpp"

#include <msgbus/topic.hpp>

namespace msgbus::transport {

bool pattern_matches(std::string_view pattern, std::string_view topic) noexcept {
  while (!pattern.empty() && !topic.empty()) {
    const auto wanted = detail::next_token(pattern);
    if (wanted == ">") return true;
    const auto token = detail::next_token(topic);
    if (wanted != "*" && wanted != token) return false;
  }
  return pattern.empty() && topic.empty();
}

bool patterns_overlap(std::string_view one, std::string_view other) noexcept {
  while (!one.empty() && !other.empty()) {
    const auto a = detail::next_token(one);
    const auto b = detail::next_token(other);
    if (a == ">" || b == ">") return true;
    if (a != "*" && b != "*" && a != b) return false;
  }
  return one.empty() && other.empty();
}

bool pattern_covers(std::string_view wide, std::string_view narrow) noexcept {
  while (!wide.empty() && !narrow.empty()) {
    const auto of_wide = detail::next_token(wide);
    if (of_wide == ">") return true;
    const auto of_narrow = detail::next_token(narrow);
    if (of_narrow == ">" || (of_wide != "*" && of_wide != of_narrow)) return false;
  }
  return wide.empty() && narrow.empty();
}

}  // namespace msgbus::transport
