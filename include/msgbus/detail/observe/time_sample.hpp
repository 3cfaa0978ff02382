#pragma once

/// When times are measured: the clock, and which messages are measured.

#include <msgbus/detail/core/config.hpp>

#include <cstdint>

namespace msgbus::detail {

/// Nanoseconds of the steady clock. Tests set another function before any message is measured.
using times_clock = std::int64_t (*)() noexcept;
extern constinit times_clock clock_of_times;
[[nodiscard]] inline std::int64_t times_now() noexcept { return clock_of_times(); }

/// Whether a message is measured, if one in `many` is: at random, since messages may come in a
/// pattern. 0 counts as 1.
[[nodiscard]] bool is_sampled(std::uint32_t many) noexcept;

/// The time at which this thread ended the measured handling of a message, if a consumer loop takes
/// the next one at once: that one begins then, without another look at the clock. 0: unknown.
extern constinit thread_local std::int64_t handled_until;

}  // namespace msgbus::detail
