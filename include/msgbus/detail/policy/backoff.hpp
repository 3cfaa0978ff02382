#pragma once

/// Whether there is another attempt, and how long to wait before it. Pure.

#include <msgbus/detail/core/failures.hpp>
#include <msgbus/retry.hpp>

namespace msgbus::detail {

/// The pause before attempt number `next`, from 2: `backoff`, grown up to `max_backoff`, of which
/// the part `jitter` is scaled by `random`, from 0 to 1.
[[nodiscard]] std::chrono::steady_clock::duration backoff_before(std::size_t next,
                                                                 const retry& settings,
                                                                 double random) noexcept;

/// The same; longer if what failed asks for it.
[[nodiscard]] std::chrono::steady_clock::duration pause_before(std::size_t next,
                                                               const retry& settings,
                                                               const failures& failed,
                                                               double random) noexcept;

/// Whether a failure says nothing about the handler's work: a cancellation, `bad_alloc`, or misuse
/// of the library. It is never repeated and never counts for a breaker (P4).
[[nodiscard]] bool is_final(const std::exception_ptr& failure) noexcept;
[[nodiscard]] bool any_final(const failures& failed) noexcept;

/// Whether `settings` wants another attempt after `made` of them. Adds what `if_` throws.
[[nodiscard]] bool wants_another(std::size_t made, const retry& settings, failures& failed);

/// A random number from 0 to 1, of a generator that each thread has for itself.
[[nodiscard]] double random_part();

}  // namespace msgbus::detail
