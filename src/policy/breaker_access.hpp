#pragma once

/// The access of the library to a circuit breaker, for calls of handlers.

#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/breaker_machine.hpp>

#include <exception>
#include <optional>

namespace msgbus {
class circuit_breaker;
}  // namespace msgbus

namespace msgbus::detail {

struct breaker_access {
  using machine = breaker_machine;

  /// Whether a call is let through; if not, the time for the next request, and the state that
  /// refused.
  struct answer {
    std::optional<machine::ticket> let_through;
    machine::time_point retry_at;
    std::uint64_t generation;
  };
  [[nodiscard]] static answer try_enter(circuit_breaker& to, machine::time_point now);
  /// The same, for a caller that needs no reason: whether it is let through, with this ticket.
  [[nodiscard]] static bool try_pass(circuit_breaker& to, machine::time_point now,
                                     machine::ticket& given);
  /// The state and the time of a refusal, without letting a call through.
  [[nodiscard]] static answer look_at(const circuit_breaker& at);
  static void leave(circuit_breaker& to, const machine::ticket& given, machine::verdict result,
                    machine::time_point now);

  /// Whether a new request may succeed: the state has changed, or lets a call through.
  [[nodiscard]] static bool has_news(const circuit_breaker& of, std::uint64_t seen_generation,
                                     machine::time_point now);

  /// The outcome of a call for the breaker. Without failures, the call succeeded.
  [[nodiscard]] static machine::verdict verdict_on(const circuit_breaker& to,
                                                   const failures& failed) noexcept;

  /// The error `circuit_open`, with the breaker's name and the time of its next probe.
  [[nodiscard]] static std::exception_ptr refusal(const circuit_breaker& by, const answer& given,
                                                  machine::time_point now);

  [[nodiscard]] static attached_waiters& waiting(circuit_breaker& of) noexcept;
};

}  // namespace msgbus::detail
