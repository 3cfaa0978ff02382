#pragma once

/// The memory of a handler that deduplicates, and the waits for messages that are being handled.

#include <msgbus/detail/policy/attached.hpp>
#include <msgbus/detail/policy/duplicates.hpp>

#include <chrono>
#include <mutex>
#include <string_view>

namespace msgbus::detail {

/// Thread-safe.
class duplicate_filter {
 public:
  using time_point = duplicates::time_point;
  using seen = duplicates::seen;
  using entry = duplicates::entry;

  duplicate_filter(duplicates::duration window, std::size_t capacity) noexcept
      : entries_(window, capacity) {}

  /// See `duplicates::begin`. After `never`, the caller calls `end`, once.
  [[nodiscard]] duplicates::answer begin(std::string_view key, time_point now) {
    const std::lock_guard lock(mutex_);
    return entries_.begin(key, now);
  }
  [[nodiscard]] bool is_in_flight(std::string_view key) const {
    const std::lock_guard lock(mutex_);
    return entries_.is_in_flight(key);
  }
  void end(entry& begun, bool handled, time_point now) noexcept {
    {
      const std::lock_guard lock(mutex_);
      handled ? entries_.handled(begun, now) : entries_.forget(begun);
    }
    waiting_.wake(waiters::all);
  }

  /// Whether its window is so short that some milliseconds matter.
  [[nodiscard]] bool needs_exact_time() const noexcept {
    return entries_.window() < std::chrono::seconds(1);
  }

  [[nodiscard]] attached_waiters& waiting() noexcept { return waiting_; }

 private:
  mutable std::mutex mutex_;
  duplicates entries_;
  attached_waiters waiting_;
};

}  // namespace msgbus::detail
