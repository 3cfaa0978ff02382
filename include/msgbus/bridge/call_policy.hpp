#pragma once

/// What stands around the calls of a remote service.

#include <msgbus/circuit_breaker.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/retry.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace msgbus {

/// The policy of a `remote_service`'s calls: `{.policy = {.breaker = bank, .deadline = 10s}}`. The
/// order is that of `policy`, which is for handlers: deadline <- retry <- breaker <- the `timeout`
/// of `call_options`, which is for each attempt.
struct call_policy {
  /// While it is open, calls fail at once with `circuit_open`. It counts timeouts, missing servers
  /// and what the operations throw; `breaker_options::counts` may say otherwise.
  std::shared_ptr<circuit_breaker> breaker = {};
  /// Every attempt has the same message id. `hold_order` means nothing here.
  msgbus::retry retry = {};
  /// Whether it does no harm to execute this operation twice. Another one is repeated only if its
  /// request has not been executed for sure: it could not be sent, or no process serves it. Empty:
  /// none is idempotent.
  std::function<bool(std::string_view operation)> idempotent = {};
  /// For all attempts and pauses together; zero: no limit. A pause that would not end before it is
  /// not begun. The server is told how much time is left.
  detail::duration_option deadline = {};

  /// Whether it asks for nothing (P9).
  [[nodiscard]] bool is_plain() const noexcept {
    return !breaker && retry.attempts <= 1 && deadline == deadline.zero();
  }
};

}  // namespace msgbus
