#include "core/print.hpp"

#include <msgbus/any_event.hpp>
#include <msgbus/context.hpp>
#include <msgbus/error.hpp>
#include <msgbus/headers.hpp>
#include <msgbus/registered_at.hpp>

#include "core/text.hpp"

namespace msgbus {

namespace detail {

std::string quoted(std::string_view text) { return '"' + escaped(text) + '"'; }

}  // namespace detail

std::ostream& operator<<(std::ostream& out, errc value) {
  using enum errc;
  return out << detail::enumerator<errc>(value, "errc",
                                         {{no_handler, "no_handler"},
                                          {bad_arguments, "bad_arguments"},
                                          {not_provided, "not_provided"},
                                          {duplicate_handler, "duplicate_handler"},
                                          {invalid_topic, "invalid_topic"},
                                          {type_mismatch, "type_mismatch"},
                                          {closed, "closed"},
                                          {full, "full"},
                                          {would_deadlock, "would_deadlock"},
                                          {timed_out, "timed_out"},
                                          {circuit_open, "circuit_open"},
                                          {rate_limited, "rate_limited"},
                                          {misused_dependency, "misused_dependency"},
                                          {decode_failed, "decode_failed"},
                                          {disconnected, "disconnected"},
                                          {handlers_failed, "handlers_failed"},
                                          {remote_failed, "remote_failed"},
                                          {encode_failed, "encode_failed"},
                                          {access_denied, "access_denied"},
                                          {unsupported, "unsupported"},
                                          {transport_failed, "transport_failed"},
                                          {database_failed, "database_failed"},
                                          {in_flight, "in_flight"}});
}

std::ostream& operator<<(std::ostream& out, const stream_position& value) {
  return out << detail::printed("stream_position")
                    .member("stream", value.stream)
                    .member("sequence", value.sequence);
}

std::ostream& operator<<(std::ostream& out, const origin& value) {
  detail::printed members("origin");
  members.member("message_id", std::string_view(value.message_id))
      .member("correlation_id", std::string_view(value.correlation_id))
      .member("causation_id", std::string_view(value.causation_id))
      .member("deliveries", value.deliveries);
  if (value.stream) {
    members.member("stream", std::string_view(*value.stream)).member("sequence", value.sequence);
  }
  return out << members;
}

std::ostream& operator<<(std::ostream& out, const context& value) {
  return out << detail::printed("context")
                    .member("topic", value.topic())
                    .member("message_id", value.message_id())
                    .member("correlation_id", value.correlation_id())
                    .member("causation_id", value.causation_id())
                    .member("attempt", value.attempt());
}

std::ostream& operator<<(std::ostream& out, const any_event& value) {
  return out << detail::printed("any_event").member("name", value.name());
}

std::ostream& operator<<(std::ostream& out, const headers& value) {
  std::string text = "headers{";
  const char* separator = "";
  for (const auto& [name, content] : value) {
    text.append(std::exchange(separator, ", ")).append("{");
    text.append(detail::quoted(name)).append(", ").append(detail::quoted(content)).append("}");
  }
  return out << text + '}';
}

std::ostream& operator<<(std::ostream& out, const registered_at& value) {
  return out << std::string(value.file()) + ':' + std::to_string(value.line());
}

}  // namespace msgbus
