#include <msgbus/transport/envelope.hpp>

#include <msgbus/error.hpp>
#include <msgbus/topic.hpp>

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace msgbus::transport {

namespace {

constexpr auto token_table = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

// Whether one of eight characters is a control character.
bool has_control_in_eight(const char* at) noexcept {
  constexpr std::uint64_t each_byte = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  // The highest bit of some byte is set, if one is below a blank, or is the last of ASCII.
  const std::uint64_t other = word ^ each_byte * 0x7f;
  const std::uint64_t below = (word - each_byte * ' ') & ~word;
  return ((below | ((other - each_byte) & ~other)) & each_byte * 0x80) != 0;
}

// Eight at a time: every character of every message's headers is looked at. The last eight may have
// been looked at before.
bool has_control(std::string_view text) noexcept {
  constexpr std::size_t eight = sizeof(std::uint64_t);
  if (text.size() < eight) return std::any_of(text.begin(), text.end(), is_control);
  const char* const last = text.data() + text.size() - eight;
  for (const char* at = text.data(); at < last; at += eight) {
    if (has_control_in_eight(at)) return true;
  }
  return has_control_in_eight(last);
}

/// The fault of a header's name; null if there is none.
const char* fault_of_name(std::string_view name) noexcept {
  if (name.empty()) return "is empty";
  if (name == header::status) return "is the server's own";
  const bool is_token = std::all_of(
      name.begin(), name.end(), [](char c) { return token_table[static_cast<unsigned char>(c)]; });
  return is_token ? nullptr : "is not a token: letters, digits and !#$%&'*+-.^_`|~";
}

const char* fault_of_value(std::string_view value) noexcept {
  if (value.empty()) return "is empty";
  if (value.front() == ' ' || value.back() == ' ') return "begins or ends with a blank";
  if (has_control(value)) return "has a control character";
  return nullptr;
}

// A topic that can be split is valid. `check_topic`, which reads each character, finds the error.
void check_topic(std::string_view topic) {
  detail::topic_tokens tokens;
  if (!detail::split_topic(topic, tokens)) detail::check_topic(topic);
}

// The value is not quoted: it may be a secret.
[[noreturn]] void refuse(std::string_view name, const char* text, const char* fault) {
  constexpr std::size_t shown = 100;
  throw error(errc::bad_arguments, "the header '" + detail::shortened(name, shown) +
                                       "' cannot be sent: " + text + " " + fault);
}

}  // namespace

bool is_header_name(std::string_view name) noexcept { return !fault_of_name(name); }

bool is_header_value(std::string_view value) noexcept { return !fault_of_value(value); }

void check_envelope(const envelope& message) {
  check_topic(message.topic);
  if (!message.reply_to.empty()) check_topic(message.reply_to);
  for (const auto& [name, value] : message.headers) {
    if (const char* const fault = fault_of_name(name)) refuse(name, "its name", fault);
    if (const char* const fault = fault_of_value(value)) refuse(name, "its value", fault);
  }
}

void check_storable(const envelope& message) {
  check_envelope(message);
  if (!message.headers.contains(header::message_id)) {
    throw error(errc::bad_arguments, "a message for '" + message.topic +
                                         "' cannot be stored without the header '" +
                                         std::string(header::message_id) + "'");
  }
}

void make_sendable(headers& all) {
  headers sendable;
  for (const auto& [name, value] : all) {
    if (!is_header_name(name)) continue;
    if (is_header_value(value)) {
      sendable.add(name, value);
    } else if (const std::string line = detail::one_line(value, value.size()); !line.empty()) {
      sendable.add(name, line);
    }
  }
  all = std::move(sendable);
}

}  // namespace msgbus::transport
