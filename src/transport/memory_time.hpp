#pragma once

// One time for contexts with different clocks. Used under the broker's lock.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace msgbus::transport::memory {

/// Advances with the clock that has advanced most since it was added.
class shared_time {
 public:
  using time_point = exec::clock::time_point;

  /// Null is the steady clock.
  void follow(const std::shared_ptr<exec::clock>& added) {
    for (const auto& [clock, ahead] : clocks_) {
      if (clock == added) return;
    }
    const time_point here = read(added);
    clocks_.emplace_back(added, clocks_.empty() ? time_point::duration::zero() : now() - here);
  }

  /// Requires at least one clock.
  [[nodiscard]] time_point now() {
    for (const auto& [clock, ahead] : clocks_)
      now_ = std::max(now_, detail::saturating_add(read(clock), ahead));
    return now_;
  }

 private:
  static time_point read(const std::shared_ptr<exec::clock>& from) {
    return from ? from->now() : std::chrono::steady_clock::now();
  }

  std::vector<std::pair<std::shared_ptr<exec::clock>, exec::clock::duration>> clocks_;
  time_point now_{};
};

}  // namespace msgbus::transport::memory
