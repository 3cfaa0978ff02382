#pragma once

/// The envelope, which transports move, and the names of the library's headers.

#include <msgbus/context.hpp>

#include <iosfwd>
#include <string>
#include <string_view>

namespace msgbus {

/// A payload with its topic and headers. The names of headers are compared with case.
struct envelope {
  std::string topic;  ///< the topic of the message; with NATS, its subject
  msgbus::headers headers = {};
  std::string payload = {};
  std::string reply_to = {};  ///< the topic for the reply; empty: no reply is expected
};
std::ostream& operator<<(std::ostream& out, const envelope& value);

/// The headers of a message. A receiver reads every form, without being configured for it.
enum class header_form {
  full,     ///< id, type, content type, correlation, causation, trace
  minimal,  ///< type, trace, content type unless it is JSON; an id where it is stored or answered
  none,     ///< the payload only: for subjects that other programs read
  /// CloudEvents 1.0 in binary mode: `ce-id`, `ce-source`, `ce-type`, `ce-specversion`, `ce-time`,
  /// `ce-datacontenttype`, and the extensions `ce-correlationid`, `ce-causationid`,
  /// `ce-traceparent` and `ce-tracestate`. The headers `traceparent` and `tracestate` are present
  /// as well. For a received message, `context::headers` also has the library's own names.
  cloudevents
};
std::ostream& operator<<(std::ostream& out, header_form value);

namespace transport {

// All transports have one rule for headers that can be sent: every server and client library reads
// them back unchanged. Received headers need not follow it.

/// Whether the name is a token (RFC 9110) other than "Status", which belongs to the server.
[[nodiscard]] bool is_header_name(std::string_view name) noexcept;

/// Whether the value is not empty, and has no blank at its ends and no control characters.
[[nodiscard]] bool is_header_value(std::string_view value) noexcept;

/// For transports, before they send.
///
/// Throws: `invalid_topic`; `bad_arguments`, with the name of the header.
void check_envelope(const envelope& message);

/// As above, before they store: the message also needs a `message_id`.
void check_storable(const envelope& message);

/// Prepares received headers for sending: removes the characters that cannot be sent from values,
/// and headers that cannot be sent at all.
void make_sendable(headers& all);

}  // namespace transport

namespace header {

inline constexpr std::string_view message_id = "Nats-Msg-Id";
inline constexpr std::string_view type = "Msgbus-Type";
inline constexpr std::string_view content_type = "Content-Type";
inline constexpr std::string_view correlation_id = "Msgbus-Correlation-Id";
inline constexpr std::string_view causation_id = "Msgbus-Causation-Id";
inline constexpr std::string_view attempt = "Msgbus-Attempt";
/// Of requests: the milliseconds until the caller's deadline. A duration, because the clocks of two
/// machines differ.
inline constexpr std::string_view time_left = "Msgbus-Time-Left";
inline constexpr std::string_view traceparent = "traceparent";  // W3C Trace Context
inline constexpr std::string_view tracestate = "tracestate";

// Of replies. The first two are those of NATS's service protocol.
inline constexpr std::string_view error_text = "Nats-Service-Error";
inline constexpr std::string_view error_code = "Nats-Service-Error-Code";
inline constexpr std::string_view error_kind = "Msgbus-Error-Kind";
inline constexpr std::string_view error_category = "Msgbus-Error-Category";
inline constexpr std::string_view error_value = "Msgbus-Error-Value";
/// "503": no subscription exists for the topic of a request.
inline constexpr std::string_view status = "Status";

// Of dead letters.
inline constexpr std::string_view dead_reason = "Msgbus-Dead-Reason";
inline constexpr std::string_view dead_topic = "Msgbus-Dead-Topic";
inline constexpr std::string_view dead_stream = "Msgbus-Dead-Stream";
inline constexpr std::string_view dead_durable = "Msgbus-Dead-Durable";
inline constexpr std::string_view dead_sequence = "Msgbus-Dead-Sequence";
/// The size of the payload in bytes, if the server refused the dead letter with its payload.
inline constexpr std::string_view dead_size = "Msgbus-Dead-Size";
/// "headers", if the server refused the dead letter with the headers of the message.
inline constexpr std::string_view dead_missing = "Msgbus-Dead-Missing";
/// The causation id of the message. The causation id of the dead letter is the message's id.
inline constexpr std::string_view dead_causation_id = "Msgbus-Dead-Causation-Id";

}  // namespace header

}  // namespace msgbus
