#pragma once

/// Envelopes as messages of nats.c.

#include <msgbus/transport/envelope.hpp>

#include <nats/nats.h>

#include <memory>
#include <string>
#include <string_view>

namespace msgbus::nats {

struct message_deleter {
  void operator()(natsMsg* message) const noexcept { natsMsg_Destroy(message); }
};
using message_ptr = std::unique_ptr<natsMsg, message_deleter>;

/// Of one that was checked. Throws.
[[nodiscard]] message_ptr to_nats(const envelope& message, const std::string& reply_to);

/// With all values of a header that is there several times. Throws `std::bad_alloc` only.
[[nodiscard]] envelope from_nats(natsMsg* message);

[[nodiscard]] std::string_view payload_of(const natsMsg* message) noexcept;

/// The value of "Status"; empty for a message that is none of the server's own.
[[nodiscard]] std::string_view status_of(natsMsg* message) noexcept;

/// Throws `invalid_topic` or `bad_arguments` if sending it would break the protocol.
void check(const envelope& message);

}  // namespace msgbus::nats
