#pragma once

/// JetStream's own requests. They are JSON over NATS, and made here rather than by nats.c: so they
/// block no thread, and what newer servers say of a stream or consumer is not lost on the way.

#include "jetstream_json.hpp"
#include "session.hpp"

#include <msgbus/transport/transport.hpp>

#include <cstdint>
#include <memory>
#include <optional>
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

// --- Single messages of a stream. ----------------------------------------------------------------

/// The first message from this sequence number on. Needs nats-server 2.9: earlier ones find only
/// the message at this number.
[[nodiscard]] asio::awaitable<std::optional<transport::stored_message>> read_from_stream(
    std::shared_ptr<session> through, std::string stream, std::uint64_t from);

/// False if there is no such message.
[[nodiscard]] asio::awaitable<bool> erase_from_stream(std::shared_ptr<session> through,
                                                      std::string stream, std::uint64_t sequence);

}  // namespace msgbus::nats
