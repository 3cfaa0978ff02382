#pragma once

/// The wait for the last call of a cancelled handler.

#include <msgbus/routing/subscription.hpp>

#include <asio/awaitable.hpp>

namespace msgbus::detail {

/// The implementation of `subscription::cancelled`.
[[nodiscard]] asio::awaitable<void> until_cancelled(in_async, subscription waited_for);

}  // namespace msgbus::detail
