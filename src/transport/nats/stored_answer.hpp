#pragma once

/// What JetStream answers when it has stored a message.

#include <msgbus/transport/transport.hpp>

#include <string_view>

namespace msgbus::nats {

/// Reads `{"stream":"ORDERS","seq":7,"duplicate":true}`, whatever else it has, without making a
/// document of it: that would cost more than the rest of the way. False for anything but that.
[[nodiscard]] bool read_stored(std::string_view text, transport::stored& into);

}  // namespace msgbus::nats
