#include "message.hpp"

#include "status.hpp"

#include <msgbus/core/topic.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace msgbus::nats {

namespace {

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

bool breaks_line(char c) { return c == '\r' || c == '\n' || c == '\0'; }

natsStatus set_header(natsMsg* to, const std::string& name, const std::string& value) {
  const std::string_view of = value;  // whose `find` is quick
  if (of.find('\r') == of.npos && of.find('\n') == of.npos && of.find('\0') == of.npos) {
    return natsMsgHeader_Set(to, name.c_str(), value.c_str());
  }
  std::string one_line = value;
  std::replace_if(one_line.begin(), one_line.end(), breaks_line, ' ');
  return natsMsgHeader_Set(to, name.c_str(), one_line.c_str());
}

}  // namespace

message_ptr to_nats(const envelope& message, const std::string& reply_to) {
  natsMsg* made = nullptr;
  natsStatus status =
      natsMsg_Create(&made, message.topic.c_str(), reply_to.empty() ? nullptr : reply_to.c_str(),
                     message.payload.data(), static_cast<int>(message.payload.size()));
  message_ptr result(made);
  for (const auto& [name, value] : message.headers) {
    if (status != NATS_OK) break;
    status = set_header(made, name, value);
  }
  if (status != NATS_OK) throw failure(status, "message to '" + message.topic + "'");
  return result;
}

std::string_view payload_of(const natsMsg* message) noexcept {
  const char* const data = natsMsg_GetData(message);
  return data ? std::string_view(data, static_cast<std::size_t>(natsMsg_GetDataLength(message)))
              : std::string_view();
}

std::string_view status_of(natsMsg* message) noexcept {
  const char* value = nullptr;
  const std::string name(header::status);
  if (natsMsgHeader_Get(message, name.c_str(), &value) != NATS_OK || !value) return {};
  return value;
}

envelope from_nats(natsMsg* message) {
  envelope result{natsMsg_GetSubject(message)};
  result.payload = payload_of(message);
  if (const char* const reply = natsMsg_GetReply(message)) result.reply_to = reply;
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK) return result;
  const std::unique_ptr<const char*, void (*)(const char**)> owned(
      names, [](const char** array) { std::free(static_cast<void*>(array)); });
  for (int i = 0; i < count; ++i) {
    const char* value = nullptr;
    if (natsMsgHeader_Get(message, names[i], &value) == NATS_OK && value) {
      result.headers.emplace(names[i], value);
    }
  }
  return result;
}

void check(const envelope& message) {
  check_topic(message.topic);
  if (!message.reply_to.empty()) check_topic(message.reply_to);
  for (const auto& [name, value] : message.headers) {
    if (!is_header_name(name)) {
      throw error(errc::bad_arguments, "'" + name + "' cannot be the name of a header");
    }
  }
  if (message.payload.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw error(errc::transport_failed,
                "a payload of " + std::to_string(message.payload.size()) + " bytes is too large");
  }
}

}  // namespace msgbus::nats
