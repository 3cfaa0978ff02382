#pragma once

/// The sending times of the messages that wait in a mailbox, for metrics. A mailbox has them only
/// while its times are measured.

#include <msgbus/detail/observe/duration_histogram.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace msgbus::exec {

/// A time in 48 bits: in units of 16 ns, modulo 52 days. 0 is no time.
using sent_time = std::uint64_t;

inline constexpr sent_time sent_time_mask = (sent_time{1} << 48U) - 1;

[[nodiscard]] inline sent_time sent_at(std::int64_t nanoseconds) noexcept {
  const sent_time now = (static_cast<std::uint64_t>(nanoseconds) >> 4U) & sent_time_mask;
  return now == 0 ? 1 : now;
}
/// The nanoseconds from a message's sending to `now`; 0 if `now`, by the clock of another core, is
/// a little earlier.
[[nodiscard]] inline std::int64_t since(sent_time sent, std::int64_t now) noexcept {
  const sent_time passed = (sent_at(now) - sent) & sent_time_mask;
  return passed > sent_time_mask / 2 ? 0 : static_cast<std::int64_t>(passed << 4U);
}

/// Any thread records and reads; none waits. It keeps the times of a few waiting messages, spread
/// over the capacity: each of the first 256, or one in so many of a larger mailbox.
class send_times {
 public:
  explicit send_times(std::size_t capacity) noexcept
      : shift_(static_cast<std::uint32_t>(
            std::countr_zero(std::bit_ceil(std::min<std::size_t>(capacity, 1U << 30U) / kept)))) {}

  /// The time of a message that is sent now; 0: it is not measured.
  [[nodiscard]] sent_time take() const noexcept {
    const std::uint32_t sample = sample_.load(std::memory_order_relaxed);
    return msgbus::detail::is_sampled(sample) ? sent_at(msgbus::detail::times_now()) : 0;
  }
  void set_sample(std::uint32_t sample) noexcept {
    sample_.store(sample, std::memory_order_relaxed);
  }

  /// `number`: the message's, modulo 2^32, in the order of the mailbox.
  void note(std::uint32_t number, sent_time sent) noexcept {
    if ((number & (stride() - 1)) != 0) return;
    place(number).store(tag(number) | sent, std::memory_order_relaxed);
  }

  /// The time of the first recorded message among the `many` messages from `number` on.
  [[nodiscard]] std::optional<sent_time> first_of(std::uint32_t number,
                                                  std::size_t many) const noexcept {
    const std::uint32_t skipped = -number & (stride() - 1);
    for (std::size_t at = 0; at < kept && skipped + at * stride() < many; ++at) {
      const std::uint32_t each = number + skipped + static_cast<std::uint32_t>(at) * stride();
      const std::uint64_t noted = place(each).load(std::memory_order_relaxed);
      const sent_time sent = noted & sent_time_mask;
      if (sent != 0 && (noted & ~sent_time_mask) == tag(each)) return sent;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kept = 256;

  [[nodiscard]] std::uint32_t stride() const noexcept { return std::uint32_t{1} << shift_; }
  /// Distinguishes messages in one place.
  [[nodiscard]] std::uint64_t tag(std::uint32_t number) const noexcept {
    return static_cast<std::uint64_t>((number >> shift_) / kept) << 48U;
  }
  [[nodiscard]] std::atomic<std::uint64_t>& place(std::uint32_t number) noexcept {
    return places_[(number >> shift_) % kept];
  }
  [[nodiscard]] const std::atomic<std::uint64_t>& place(std::uint32_t number) const noexcept {
    return places_[(number >> shift_) % kept];
  }

  const std::uint32_t shift_;  // the stride is a power of two: this one
  std::atomic<std::uint32_t> sample_{1};
  std::array<std::atomic<std::uint64_t>, kept> places_{};  // 16 bits of a tag, and a time
};

}  // namespace msgbus::exec
