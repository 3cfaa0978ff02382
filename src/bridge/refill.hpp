#pragma once

/// Decides when a durable link asks its source for more messages.

#include <algorithm>
#include <cstddef>
#include <utility>

namespace msgbus::bridging {

/// Pure. A request for each settled message would cost the server as much as the message, so the
/// free places are asked for together: once they are a quarter of all, once nothing is in flight,
/// or else after a short pause. For one thread at a time.
class refill {
 public:
  enum class action { wait, ask, ask_after_pause };

  explicit refill(std::size_t window) noexcept : window_(window) {}

  /// One message was settled, and `in_flight` are left. The pause is asked for once until `paused`.
  [[nodiscard]] action settled(std::size_t in_flight) noexcept {
    ++free_;
    if (in_flight == 0 || free_ >= std::max<std::size_t>(window_ / 4, 1)) return action::ask;
    return std::exchange(pausing_, true) ? action::wait : action::ask_after_pause;
  }

  /// The pause is over.
  void paused() noexcept { pausing_ = false; }

  /// The number of messages to ask for now; zero if they were asked for already.
  [[nodiscard]] std::size_t take() noexcept { return std::exchange(free_, 0); }

 private:
  const std::size_t window_;
  std::size_t free_ = 0;  // places that the source does not know of
  bool pausing_ = false;
};

}  // namespace msgbus::bridging
