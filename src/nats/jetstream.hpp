#pragma once

/// JetStream's own requests. They are JSON over NATS, and made here rather than by nats.c: so they
/// block no thread, and what newer servers say of a stream or consumer is not lost on the way.

#include "jetstream_json.hpp"
#include "session.hpp"

#include <memory>
#include <string>

namespace msgbus::nats {

/// Asks `$JS.API.<subject>`, again while the connection is away. Throws `unsupported` if the server
/// has no JetStream, and else as transports do; what JetStream refuses is in the answer.
[[nodiscard]] asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through,
                                                  std::string subject, json request,
                                                  deadline until);

[[nodiscard]] asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                                  transport::stream_options wanted);

/// Finds or makes the durable consumer. Throws what is wrong with one that is there.
[[nodiscard]] asio::awaitable<void> ensure_consumer(std::shared_ptr<session> through,
                                                    transport::pull_options which);

/// Stores the message in whichever stream takes its topic.
[[nodiscard]] asio::awaitable<transport::stored> store(std::shared_ptr<session> through,
                                                       envelope message, duration timeout);

}  // namespace msgbus::nats
