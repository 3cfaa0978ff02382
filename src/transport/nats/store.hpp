#pragma once

/// Storing a message in whichever stream takes its topic.

#include "session.hpp"

namespace msgbus::nats {

[[nodiscard]] asio::awaitable<transport::stored> store(std::shared_ptr<session> through,
                                                       envelope message, duration timeout);

}  // namespace msgbus::nats
