#pragma once

/// How long to wait before which attempt.

#include <msgbus/policy/policy.hpp>

namespace msgbus::detail {

/// Pure. The pause before attempt number `next`, from 2: `backoff`, doubled each time up to
/// `max_backoff`, of which the part `jitter` is scaled by `random`, from 0 to 1.
[[nodiscard]] std::chrono::steady_clock::duration backoff_before(std::size_t next,
                                                                 const retry& settings,
                                                                 double random) noexcept;

/// A random number from 0 to 1, of a generator that each thread has for itself.
[[nodiscard]] double random_part();

}  // namespace msgbus::detail
