#pragma once

/// What transports move, and the names of the headers that the library writes and reads.

#include <msgbus/core/context.hpp>

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

namespace header {

inline constexpr std::string_view message_id = "Nats-Msg-Id";
inline constexpr std::string_view type = "Msgbus-Type";
inline constexpr std::string_view content_type = "Content-Type";
inline constexpr std::string_view correlation_id = "Msgbus-Correlation-Id";
inline constexpr std::string_view causation_id = "Msgbus-Causation-Id";
inline constexpr std::string_view attempt = "Msgbus-Attempt";
inline constexpr std::string_view traceparent = "traceparent";  // W3C Trace Context
inline constexpr std::string_view tracestate = "tracestate";

// Of answers. The first two are those of NATS's service protocol.
inline constexpr std::string_view error_text = "Nats-Service-Error";
inline constexpr std::string_view error_code = "Nats-Service-Error-Code";
inline constexpr std::string_view error_kind = "Msgbus-Error-Kind";
/// "503": nobody listens where a request was sent to.
inline constexpr std::string_view status = "Status";

// Of dead letters.
inline constexpr std::string_view dead_reason = "Msgbus-Dead-Reason";
inline constexpr std::string_view dead_topic = "Msgbus-Dead-Topic";
inline constexpr std::string_view dead_stream = "Msgbus-Dead-Stream";
inline constexpr std::string_view dead_durable = "Msgbus-Dead-Durable";
inline constexpr std::string_view dead_sequence = "Msgbus-Dead-Sequence";
/// How many bytes the payload had, where the server takes no letter that has it.
inline constexpr std::string_view dead_size = "Msgbus-Dead-Size";

}  // namespace header

}  // namespace msgbus
