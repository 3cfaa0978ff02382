#pragma once

/// The decision about another attempt, and the pause before it. Pure.

#include <msgbus/detail/core/failures.hpp>
#include <msgbus/retry.hpp>

namespace msgbus::detail {

/// The pause before attempt number `next`, from 2: `backoff`, grown up to `max_backoff`, of which
/// the part `jitter` is scaled by `random`, from 0 to 1.
[[nodiscard]] std::chrono::steady_clock::duration backoff_before(std::size_t next,
                                                                 const retry& settings,
                                                                 double random) noexcept;

/// The same; longer if a failure asks for it (`retry_hint`).
[[nodiscard]] std::chrono::steady_clock::duration pause_before(std::size_t next,
                                                               const retry& settings,
                                                               const failures& failed,
                                                               double random) noexcept;

/// Whether a failure is final: a cancellation, `bad_alloc`, or misuse of the library. After it
/// there is no other attempt, and it does not count for a breaker (P4).
[[nodiscard]] bool is_final(const std::exception_ptr& failure) noexcept;
[[nodiscard]] bool any_final(const failures& failed) noexcept;

/// Whether `settings` permits another attempt after `made` attempts. Adds an exception of `if_` to
/// the failures.
[[nodiscard]] bool wants_another(std::size_t made, const retry& settings, failures& failed);

/// A random number from 0 to 1, of the calling thread's own generator.
[[nodiscard]] double random_part();

}  // namespace msgbus::detail
