#pragma once

/// The risk check: a service whose one operation blocks, and so runs on a thread pool.

#include <msgbus/async.hpp>

#include <string>

#include "domain.hpp"

namespace exchange {

inline constexpr msgbus::required<msgbus::async::service&> get_risk{"risk service"};

/// Adds `assess(order value)`, which throws `risk_refused`.
void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking);

}  // namespace exchange
