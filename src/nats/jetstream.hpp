#pragma once

/// JetStream's own requests. They are JSON over NATS. They are made here, and not by nats.c, so
/// that they block no thread, and that fields of newer servers for streams and consumers are kept.

#include "jetstream_json.hpp"
#include "session.hpp"

#include <msgbus/transport/transport.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace msgbus::nats {

/// Asks `$JS.API.<subject>`, again while the connection is away. Throws `unsupported` if the server
/// has no JetStream, and otherwise as transports do. A refusal of JetStream is in the reply.
[[nodiscard]] asio::awaitable<json> ask_jetstream(std::shared_ptr<session> through,
                                                  std::string subject, json request,
                                                  deadline until);

[[nodiscard]] asio::awaitable<void> ensure_stream(std::shared_ptr<session> through,
                                                  transport::stream_options wanted);

/// Finds or creates the durable consumer. Throws an error that describes an existing one that
/// cannot be used.
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
