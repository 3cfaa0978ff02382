#include "transport/names.hpp"

#include "core/text.hpp"

#include <msgbus/error.hpp>
#include <msgbus/topic.hpp>

#include <charconv>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace msgbus::transport {

std::size_t size_of(const envelope& message) noexcept {
  constexpr std::string_view frame = "NATS/1.0\r\n\r\n";
  constexpr std::string_view around_value = ": \r\n";
  std::size_t size = message.payload.size();
  if (!message.headers.empty()) size += frame.size();
  for (const auto& [name, value] : message.headers) {
    size += name.size() + value.size() + around_value.size();
  }
  return size;
}

message_refused too_large(const envelope& message, std::size_t limit) {
  return message_refused("publish to '" + message.topic + "': " + std::to_string(size_of(message)) +
                         " bytes with its headers, and the server takes " + std::to_string(limit) +
                         " at most");
}

namespace {

std::string beginning(std::string_view text) { return detail::shortened(text, 40); }

}  // namespace

void check_names(std::string_view topic, std::string_view reply_to, std::string_view group) {
  const std::size_t size = topic.size() + reply_to.size() + group.size();
  if (size <= longest_names) return;
  std::string text = "'" + beginning(topic) + "'";
  if (!reply_to.empty()) text += " with the reply topic '" + beginning(reply_to) + "'";
  if (!group.empty()) text += " with the group '" + beginning(group) + "'";
  throw error(errc::invalid_topic, text + " has " + std::to_string(size) +
                                       " characters; transports take " +
                                       std::to_string(longest_names) + " at most");
}

void check_name(const std::string& name, const char* of_what) {
  const bool fits = !name.empty() && name.size() <= longest_stream_name;
  if (fits && name.find_first_of(". \t\r\n*>/\\") == std::string::npos) return;
  throw error(errc::bad_arguments, "'" + beginning(name) + "' cannot be the name of a " + of_what +
                                       ": it has 1 to " + std::to_string(longest_stream_name) +
                                       " characters, and no '.', '*', '>', '/', '\\' or blank");
}

// --- Patterns. -----------------------------------------------------------------------------------

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

// --- Reply topics. -------------------------------------------------------------------------------

namespace {

constexpr int base = 16;

bool take_half(std::string_view& text, std::uint32_t& half) noexcept {
  const char* const begin = text.data();
  const auto [read_to, wrong] = std::from_chars(begin, begin + text.size(), half, base);
  if (wrong != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(read_to - begin));
  return true;
}

}  // namespace

std::string reply_topic(std::string_view inbox, std::uint64_t number) {
  char digits[17];
  char* const end = std::end(digits);
  char* at = std::to_chars(digits, end, static_cast<std::uint32_t>(number), base).ptr;
  *at++ = '-';
  at = std::to_chars(at, end, static_cast<std::uint32_t>(number >> 32U), base).ptr;
  std::string topic;
  topic.reserve(inbox.size() + 1 + static_cast<std::size_t>(at - digits));
  topic += inbox;
  topic += '.';
  topic.append(digits, at);
  return topic;
}

std::uint64_t reply_number(std::string_view topic, std::string_view inbox) noexcept {
  if (topic.size() <= inbox.size() + 1) return 0;
  std::string_view text = topic.substr(inbox.size() + 1);
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  if (!take_half(text, low) || !text.starts_with('-')) return 0;
  text.remove_prefix(1);
  return take_half(text, high) && text.empty() ? std::uint64_t{high} << 32U | low : 0;
}

}  // namespace msgbus::transport
