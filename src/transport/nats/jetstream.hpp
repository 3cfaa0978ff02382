#pragma once

/// JetStream's own requests. They are JSON over NATS, and made here rather than by nats.c: so they
/// block no thread, and what newer servers say of a stream or consumer is not lost on the way.

#include "session.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

namespace msgbus::nats {

using json = nlohmann::json;

/// What JetStream says went wrong.
struct refusal {
  int code = 0;      ///< as of HTTP
  int err_code = 0;  ///< which error it is
  std::string text = {};
};

inline constexpr int stream_not_found = 10059;
inline constexpr int consumer_not_found = 10014;
inline constexpr int consumer_name_taken = 10013;
inline constexpr int consumer_exists = 10148;
inline constexpr int stream_exists = 10058;
inline constexpr int message_too_large = 10054;
inline constexpr int headers_too_large = 10097;

/// What an answer says; an empty text if it is no error.
[[nodiscard]] refusal refusal_of(const json& answer);

/// Asks `$JS.API.<subject>`, again while the connection is away. Throws `unsupported` if the server
/// has no JetStream, and else as transports do; what JetStream refuses is in the answer.
[[nodiscard]] asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through,
                                                  std::string subject, json request,
                                                  deadline until);

/// Throws `transport_failed`, `message_refused` or `unsupported`, if the answer is an error.
void check_answer(const json& answer, const std::string& what);

[[nodiscard]] asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                                  transport::stream_options wanted);

/// Stores the message in whichever stream takes its topic.
[[nodiscard]] asio::awaitable<transport::stored> store(std::shared_ptr<session> through,
                                                       envelope message, duration timeout);

}  // namespace msgbus::nats
