#pragma once

/// A clock for the times of messages that a test moves.

#include <msgbus/detail/observe/duration_histogram.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace msgbus_test {

/// Stands for the steady clock as long as it exists; one at a time, before messages are measured.
class times_clock {
 public:
  times_clock() {
    now_ = 1'000'000'000;
    looks_ = 0;
    msgbus::detail::clock_of_times = []() noexcept -> std::int64_t {
      looks_.fetch_add(1);
      return now_.load();
    };
  }
  times_clock(const times_clock&) = delete;
  times_clock& operator=(const times_clock&) = delete;
  ~times_clock() { msgbus::detail::clock_of_times = real_; }

  static void advance(std::chrono::nanoseconds by) { now_.fetch_add(by.count()); }
  /// How often somebody has looked since the last call.
  static int looks() { return looks_.exchange(0); }

 private:
  static inline std::atomic<std::int64_t> now_{0};
  static inline std::atomic<int> looks_{0};
  const msgbus::detail::times_clock real_ = msgbus::detail::clock_of_times;
};

}  // namespace msgbus_test
