#pragma once

/// Reads and removes single messages of a stream, by JetStream's own requests.

#include "session.hpp"

#include <msgbus/transport/transport.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace msgbus::nats {

/// The first message from this sequence number on. Needs nats-server 2.9: earlier ones find only
/// the message at this number.
[[nodiscard]] asio::awaitable<std::optional<transport::stored_message>> read_from_stream(
    std::shared_ptr<session> through, std::string stream, std::uint64_t from);

/// False if there is no such message.
[[nodiscard]] asio::awaitable<bool> erase_from_stream(std::shared_ptr<session> through,
                                                      std::string stream, std::uint64_t sequence);

}  // namespace msgbus::nats
