#pragma once

// The names of spans and their attributes: OpenTelemetry's conventions for messaging, which are
// still in development. This is the one table of them.

#include <string>
#include <string_view>

namespace msgbus::detail::trace_names {

// Attributes.
inline constexpr std::string_view system = "messaging.system";
inline constexpr std::string_view operation = "messaging.operation.name";
inline constexpr std::string_view operation_type = "messaging.operation.type";
inline constexpr std::string_view destination = "messaging.destination.name";
inline constexpr std::string_view destination_template = "messaging.destination.template";
inline constexpr std::string_view group = "messaging.consumer.group.name";
inline constexpr std::string_view message_id = "messaging.message.id";
inline constexpr std::string_view conversation = "messaging.message.conversation_id";
inline constexpr std::string_view error_type = "error.type";
inline constexpr std::string_view handler = "msgbus.handler";
inline constexpr std::string_view replayed = "msgbus.replayed";  // a dead letter

// The value of `messaging.system` in a process; that of a transport is `transport::system`.
inline constexpr std::string_view in_process = "msgbus";

/// The value of `error.type` for an exception without a type name.
inline constexpr std::string_view other_error = "_OTHER";

/// The value of `messaging.operation.type` for an operation, which is the first word of the span's
/// name; empty: the conventions have none.
[[nodiscard]] constexpr std::string_view type_of(std::string_view name) noexcept {
  if (name == "process") return name;
  if (name == "ack" || name == "nak" || name == "term") return "settle";
  if (name == "execute" || name == "call") return {};
  return "send";
}

[[nodiscard]] inline std::string span_name(std::string_view verb, std::string_view target) {
  std::string name(verb);
  name += ' ';
  name += target;
  return name;
}

}  // namespace msgbus::detail::trace_names
