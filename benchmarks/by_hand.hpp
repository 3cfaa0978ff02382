#pragma once

/// What one would write instead of the parts of a policy: with a lock, since handlers share them,
/// and with the clock. None of them waits, reports or is told of cancellation.

#include "harness.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>

namespace bench::by_hand {

using clock = std::chrono::steady_clock;

/// Opens when half of at least 20 calls in 30 seconds have failed.
class breaker {
 public:
  [[nodiscard]] bool try_enter() {
    const std::lock_guard lock(mutex_);
    return clock::now() >= open_until_;
  }
  void leave(bool failed) {
    const std::lock_guard lock(mutex_);
    const clock::time_point now = clock::now();
    const std::int64_t number = now.time_since_epoch() / bucket_length;
    bucket& current = window_[static_cast<std::size_t>(number) % window_.size()];
    if (current.number != number) current = {number, 0, 0};
    ++current.calls;
    current.failures += failed ? 1 : 0;
    if (failed && fails_too_often(number)) open_until_ = now + std::chrono::seconds(5);
  }

 private:
  struct bucket {
    std::int64_t number = -1;
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
  };
  static constexpr auto bucket_length = std::chrono::seconds(3);

  [[nodiscard]] bool fails_too_often(std::int64_t number) const {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    for (const bucket& each : window_) {
      if (number - each.number >= static_cast<std::int64_t>(window_.size())) continue;
      calls += each.calls;
      failures += each.failures;
    }
    return calls >= 20 && failures * 2 >= calls;
  }

  std::mutex mutex_;
  clock::time_point open_until_{};
  std::array<bucket, 10> window_{};
};

/// So many permits a second, and a second's worth of them at once.
class token_bucket {
 public:
  explicit token_bucket(std::uint64_t permits)
      : interval_(std::chrono::nanoseconds(1'000'000'000 / permits)) {}

  [[nodiscard]] bool try_take() {
    const std::lock_guard lock(mutex_);
    const clock::time_point now = clock::now();
    if (full_at_ < now) full_at_ = now;
    if (full_at_ + interval_ - now > std::chrono::seconds(1)) return false;
    full_at_ += interval_;
    return true;
  }

 private:
  const clock::duration interval_;
  std::mutex mutex_;
  clock::time_point full_at_{};
};

/// Remembers the last keys.
class recent_keys {
 public:
  explicit recent_keys(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] bool is_new(std::string key) {
    const std::lock_guard lock(mutex_);
    const auto [place, added] = seen_.emplace(std::move(key), clock::now());
    if (!added) return false;
    order_.push_back(&place->first);
    if (order_.size() > capacity_) {
      seen_.erase(*order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::unordered_map<std::string, clock::time_point> seen_;
  std::deque<const std::string*> order_;
};

}  // namespace bench::by_hand
