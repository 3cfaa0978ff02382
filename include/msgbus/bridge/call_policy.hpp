#pragma once

/// The policy of the calls of a remote service.

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/retry.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace msgbus {

/// The policy of a `remote_service`'s calls: `{.policy = {.breaker = bank, .deadline = 10s}}`. The
/// order is that of a handler's `policy`: deadline <- retry <- breaker <- `call_options::timeout`,
/// which limits each attempt.
struct call_policy {
  /// While it is open, calls fail immediately with `circuit_open`. By default it counts timeouts,
  /// missing servers and the exceptions of operations; `breaker_options::counts` can change that.
  std::shared_ptr<circuit_breaker> breaker = {};
  /// Every attempt has the same message id. `hold_order` has no effect.
  msgbus::retry retry = {};
  /// Whether this operation may be executed twice without harm. Other operations are repeated only
  /// if they were certainly not executed: the request could not be sent, or no process serves the
  /// operation. Empty: no operation is idempotent.
  std::function<bool(std::string_view operation)> idempotent = {};
  /// The time limit for all attempts and pauses together; zero: no limit. A pause that would exceed
  /// it is not begun. Each request carries the remaining time to the server.
  detail::duration_option deadline = {};

  /// Whether it has no effect (P9).
  [[nodiscard]] bool is_plain() const noexcept {
    return !breaker && retry.attempts <= 1 && deadline == deadline.zero();
  }
};

}  // namespace msgbus
