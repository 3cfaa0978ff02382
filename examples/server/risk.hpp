#pragma once

/// The risk check as a service. Its one operation blocks, and so runs on a thread pool.

#include <msgbus/async.hpp>

namespace exchange {

inline constexpr msgbus::required<msgbus::async::service&> get_risk{"risk service"};

/// Adds `assess(order value)`, which throws `risk_refused`.
void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking);

}  // namespace exchange
