#pragma once

/// Finding or making a durable consumer, and taking from it.

#include "session.hpp"

#include <memory>

namespace msgbus::nats {

[[nodiscard]] asio::awaitable<std::unique_ptr<transport::source>> pull(
    std::shared_ptr<session> through, transport::pull_options which,
    std::shared_ptr<transport::delivery_sink> to);

}  // namespace msgbus::nats
