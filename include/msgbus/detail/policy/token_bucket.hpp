#pragma once

/// The arithmetic of a rate limit. Pure: the time is a parameter. For one thread at a time.

#include <msgbus/detail/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace msgbus::detail {

/// A token bucket, stored as the time at which it is full again (GCRA). Each permit moves that time
/// by `per / permits`, up to `burst` of these steps ahead of now. In any interval, it grants at
/// most `burst` plus the permits of that interval. After the clock has jumped back, no wait is
/// longer than that for a full burst.
class token_bucket {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  /// Grants `permits` in each `per`, and at most `burst` together; 0: one at a time.
  token_bucket(std::size_t permits, duration per, std::size_t burst) noexcept;

  /// Takes a permit; false if there is none now.
  [[nodiscard]] bool try_take(time_point now) noexcept;

  /// The time until that many permits are available; zero if they are available now.
  [[nodiscard]] duration until_available(std::size_t many, time_point now) const noexcept;

  /// Whether it can ever give a permit.
  [[nodiscard]] bool gives_any() const noexcept { return gives_any_; }

 private:
  void bring_back(time_point now) noexcept;

  bool gives_any_;
  duration interval_;   // between permits, rounded up: the rate is never exceeded
  duration tolerance_;  // how far `full_at_` may be ahead of now when a permit is taken
  time_point full_at_ = time_point::min();
};

}  // namespace msgbus::detail
