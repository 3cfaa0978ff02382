#pragma once

/// The clock of measured times, the choice of the measured messages, and a histogram of durations.

#include <msgbus/detail/core/config.hpp>
#include <msgbus/detail/observe/outcomes.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

/// The upper bounds of the buckets in nanoseconds, from 1 us to 10 s: the one table of them. A
/// message in a process takes microseconds, so they begin there.
inline constexpr std::array<std::int64_t, 22> duration_bounds{
    1'000,         2'000,         5'000,         10'000,         20'000,      50'000,
    100'000,       200'000,       500'000,       1'000'000,      2'000'000,   5'000'000,
    10'000'000,    20'000'000,    50'000'000,    100'000'000,    200'000'000, 500'000'000,
    1'000'000'000, 2'000'000'000, 5'000'000'000, 10'000'000'000,
};
/// One bucket for each bound, and one for longer durations.
inline constexpr std::size_t duration_buckets = duration_bounds.size() + 1;

/// For each number of bits, the bucket of the smallest duration with so many bits. A bound is at
/// least twice the one before, so the other durations with so many bits are in that bucket or in
/// the next.
inline constexpr auto first_duration_buckets = [] {
  std::array<std::uint8_t, 64> all{};
  for (std::size_t bits = 1; bits < all.size(); ++bits) {
    const std::int64_t smallest = std::int64_t{1} << (bits - 1);
    std::uint8_t bucket = 0;
    while (bucket < duration_bounds.size() && duration_bounds[bucket] < smallest) ++bucket;
    all[bits] = bucket;
  }
  return all;
}();

/// The bucket of a duration, which is not negative.
[[nodiscard]] constexpr std::size_t duration_bucket(std::int64_t nanoseconds) noexcept {
  const auto bits =
      static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(nanoseconds)));
  const std::size_t first = first_duration_buckets[bits];
  if (first == duration_bounds.size()) return first;
  return first + (nanoseconds > duration_bounds[first] ? 1 : 0);
}

/// The figures of a histogram. The number of all durations is the sum of the buckets.
struct duration_figures {
  std::array<std::uint64_t, duration_buckets> buckets{};
  std::uint64_t sum = 0;  // nanoseconds

  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t all = 0;
    for (const std::uint64_t each : buckets) all += each;
    return all;
  }
  duration_figures& operator+=(const duration_figures& other) noexcept {
    for (std::size_t i = 0; i < duration_buckets; ++i) buckets[i] += other.buckets[i];
    sum += other.sum;
    return *this;
  }
  /// `other` is a part of these.
  duration_figures& operator-=(const duration_figures& other) noexcept {
    for (std::size_t i = 0; i < duration_buckets; ++i) buckets[i] -= other.buckets[i];
    sum -= other.sum;
    return *this;
  }
};

/// Any thread adds, without a lock and without contention; any thread reads. No figure ever
/// decreases (O2).
class duration_histogram {
 public:
  /// A negative duration counts as zero: the clocks of several cores may differ a little.
  void add(std::int64_t nanoseconds) noexcept {
    const std::int64_t took = nanoseconds < 0 ? 0 : nanoseconds;
    counts_.add_with(duration_bucket(took), duration_buckets, static_cast<std::uint64_t>(took));
  }

  [[nodiscard]] duration_figures read() const noexcept {
    duration_figures all;
    for (std::size_t i = 0; i < duration_buckets; ++i) all.buckets[i] = counts_.sum(i);
    all.sum = counts_.sum(duration_buckets);
    return all;
  }

 private:
  striped_counts<duration_buckets + 1> counts_;  // the last is the sum
};

/// Nanoseconds of the steady clock. Tests set another function before any message is measured.
using times_clock = std::int64_t (*)() noexcept;
extern constinit times_clock clock_of_times;
[[nodiscard]] inline std::int64_t times_now() noexcept { return clock_of_times(); }

extern constinit thread_local std::uint64_t random_state;  // 0 before it is seeded
void seed_random() noexcept;
/// Not for cryptography. Never 0. Marsaglia's xorshift64.
[[nodiscard]] inline std::uint64_t next_random() noexcept {
  std::uint64_t state = random_state;
  if (state == 0) [[unlikely]] {
    seed_random();
    state = random_state;
  }
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  random_state = state;
  return state;
}

/// Whether a message is measured, if one in `many` is: at random, since messages may come in a
/// pattern. 0 counts as 1.
[[nodiscard]] inline bool is_sampled(std::uint32_t many) noexcept {
  // The upper half of the number is below 2^32 / many: without a division.
  return many <= 1 || ((next_random() >> 32U) * many) >> 32U == 0;
}

/// The time at which this thread ended the measured handling of a message; 0: unknown. If a
/// consumer loop takes the next message immediately, that one begins at this time, without another
/// read of the clock.
extern constinit thread_local std::int64_t handled_until;

}  // namespace msgbus::detail
