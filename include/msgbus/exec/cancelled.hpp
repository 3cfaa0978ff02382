#pragma once

/// Waiting for a cancelled handler's last call.

#include <msgbus/routing/subscription.hpp>

#include <asio/awaitable.hpp>

namespace msgbus::detail {

/// What `subscription::cancelled` awaits.
[[nodiscard]] asio::awaitable<void> until_cancelled(in_async, subscription waited_for);

}  // namespace msgbus::detail
