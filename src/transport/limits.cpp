#include "transport/limits.hpp"

#include <msgbus/error.hpp>

#include "core/text.hpp"

#include <string>
#include <string_view>

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

}  // namespace msgbus::transport
