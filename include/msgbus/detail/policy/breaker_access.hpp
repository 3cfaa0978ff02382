#pragma once

/// How handlers are run through a circuit breaker.

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

  /// Whether a call is let through; if not, when it makes sense to ask again, and the state that
  /// said so.
  struct answer {
    std::optional<machine::ticket> let_through;
    machine::time_point retry_at;
    std::uint64_t generation;
  };
  [[nodiscard]] static answer try_enter(circuit_breaker& to, machine::time_point now);
  /// The answer to a call that was not let through, without asking for one.
  [[nodiscard]] static answer look_at(const circuit_breaker& at);
  static void leave(circuit_breaker& to, const machine::ticket& given, machine::verdict result,
                    machine::time_point now);

  /// Whether it makes sense to ask again: the state is another one, or would let a call through.
  [[nodiscard]] static bool has_news(const circuit_breaker& of, std::uint64_t seen_generation,
                                     machine::time_point now);

  /// What the end of a call means for the breaker; null failures: it succeeded.
  [[nodiscard]] static machine::verdict verdict_on(const circuit_breaker& to,
                                                   const failures& failed) noexcept;

  /// `circuit_open`, naming the breaker and when it will try.
  [[nodiscard]] static std::exception_ptr refusal(const circuit_breaker& by, const answer& given,
                                                  machine::time_point now);

  [[nodiscard]] static attached_waiters& waiting(circuit_breaker& of) noexcept;
};

}  // namespace msgbus::detail
