#pragma once

// How large a message is, as servers count it, and the error of one that is too large.

#include <msgbus/transport/transport.hpp>

#include <cstddef>

namespace msgbus::transport {

/// Payload and headers, as NATS writes them.
[[nodiscard]] std::size_t size_of(const envelope& message) noexcept;

/// It names topic, size and limit.
[[nodiscard]] message_refused too_large(const envelope& message, std::size_t limit);

}  // namespace msgbus::transport
