#include "transport/limits.hpp"

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

}  // namespace msgbus::transport
