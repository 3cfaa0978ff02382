#include "transport/names.hpp"

#include "core/text.hpp"

#include <msgbus/core/error.hpp>

namespace msgbus::transport {

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
