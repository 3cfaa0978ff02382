#pragma once

/// A subscription to what is sent now.

#include "subscription.hpp"

#include <msgbus/transport/sink.hpp>
#include <msgbus/transport/transport.hpp>

namespace msgbus::nats {

/// Throws.
[[nodiscard]] std::unique_ptr<transport::feed> open_feed(std::shared_ptr<link> over,
                                                         const std::string& pattern,
                                                         const std::string& group,
                                                         int pending_limit,
                                                         std::shared_ptr<transport::sink> to);

}  // namespace msgbus::nats
