#pragma once

/// The risk check as a service. Its one operation blocks, and so runs on a thread pool. It calls
/// somebody else's library: a breaker stops calling that while it fails, and a deadline says how
/// long an order waits for it.

#include <msgbus/async.hpp>

#include <memory>

namespace exchange {

inline constexpr msgbus::required<msgbus::async::service&> get_risk{"risk service"};

/// A `refusal` is an answer, and does not count.
[[nodiscard]] std::shared_ptr<msgbus::circuit_breaker> make_risk_breaker();

/// Adds `assess(order value)`, which throws `risk_refused`.
void add_risk_check(msgbus::async::service& service, asio::any_io_executor blocking,
                    std::shared_ptr<msgbus::circuit_breaker> breaker);

}  // namespace exchange
