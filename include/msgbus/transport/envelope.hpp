#pragma once

/// What transports move, and the names of the headers that the library writes and reads.

#include <msgbus/context.hpp>

#include <iosfwd>
#include <string>
#include <string_view>

namespace msgbus {

/// A payload with what is known of it. Headers are compared with their case.
struct envelope {
  std::string topic;  ///< what it was sent to; with NATS, the subject
  msgbus::headers headers = {};
  std::string payload = {};
  std::string reply_to = {};  ///< the topic at which an answer is awaited; empty: none is
};
std::ostream& operator<<(std::ostream& out, const envelope& value);

/// What goes with a payload, for the other side to read. Who receives reads every form, and need
/// not be told which it is.
enum class header_form {
  full,     ///< id, type, content type, correlation, causation, trace
  minimal,  ///< type, trace, content type unless it is JSON; an id where it is stored or answered
  none,     ///< the payload only: for subjects that other people's programs read
  /// CloudEvents 1.0 in binary mode: `ce-id`, `ce-source`, `ce-type`, `ce-specversion`, `ce-time`,
  /// `ce-datacontenttype`, and, as extensions, `ce-correlationid`, `ce-causationid`,
  /// `ce-traceparent` and `ce-tracestate`, of which the last two are `traceparent` and `tracestate`
  /// too. Of one that is received, `context::headers` has the library's own names besides.
  cloudevents
};
std::ostream& operator<<(std::ostream& out, header_form value);

namespace transport {

// One rule for all transports says which headers can be sent: those that every server and client
// library reads as they were written. Received headers may be others.

/// A token (RFC 9110), and not "Status", by which servers say something themselves.
[[nodiscard]] bool is_header_name(std::string_view name) noexcept;

/// Neither empty nor with a blank at its ends, and without control characters.
[[nodiscard]] bool is_header_value(std::string_view value) noexcept;

/// For transports, before they send. Throws `invalid_topic`, or `bad_arguments` naming the header.
void check_envelope(const envelope& message);

/// The same before they store: the message must have a `message_id`, too.
void check_storable(const envelope& message);

/// For headers that came from elsewhere and go on: values lose what cannot be sent; those that
/// cannot be sent at all are left out.
void make_sendable(headers& all);

}  // namespace transport

namespace header {

inline constexpr std::string_view message_id = "Nats-Msg-Id";
inline constexpr std::string_view type = "Msgbus-Type";
inline constexpr std::string_view content_type = "Content-Type";
inline constexpr std::string_view correlation_id = "Msgbus-Correlation-Id";
inline constexpr std::string_view causation_id = "Msgbus-Causation-Id";
inline constexpr std::string_view attempt = "Msgbus-Attempt";
/// Of requests: how many milliseconds the caller still has. A length of time, since clocks differ.
inline constexpr std::string_view time_left = "Msgbus-Time-Left";
inline constexpr std::string_view traceparent = "traceparent";  // W3C Trace Context
inline constexpr std::string_view tracestate = "tracestate";

// Of answers. The first two are those of NATS's service protocol.
inline constexpr std::string_view error_text = "Nats-Service-Error";
inline constexpr std::string_view error_code = "Nats-Service-Error-Code";
inline constexpr std::string_view error_kind = "Msgbus-Error-Kind";
inline constexpr std::string_view error_category = "Msgbus-Error-Category";
inline constexpr std::string_view error_value = "Msgbus-Error-Value";
/// "503": nobody listens where a request was sent to.
inline constexpr std::string_view status = "Status";

// Of dead letters.
inline constexpr std::string_view dead_reason = "Msgbus-Dead-Reason";
inline constexpr std::string_view dead_topic = "Msgbus-Dead-Topic";
inline constexpr std::string_view dead_stream = "Msgbus-Dead-Stream";
inline constexpr std::string_view dead_durable = "Msgbus-Dead-Durable";
inline constexpr std::string_view dead_sequence = "Msgbus-Dead-Sequence";
/// How many bytes the payload had, where the server refuses a dead letter with the payload.
inline constexpr std::string_view dead_size = "Msgbus-Dead-Size";
/// "headers", where the server refuses a dead letter with those of the message.
inline constexpr std::string_view dead_missing = "Msgbus-Dead-Missing";
/// The causation id of the message; that of its dead letter is the message's id.
inline constexpr std::string_view dead_causation_id = "Msgbus-Dead-Causation-Id";

}  // namespace header

}  // namespace msgbus
