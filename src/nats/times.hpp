#pragma once

/// Times: the deadline of a coroutine's wait, durations as numbers for servers and for nats.c, and
/// a thread for timed jobs, which calls of nats.c may block (docs/design/0020).

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>

#include <asio/any_io_executor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <thread>

namespace msgbus::nats {

/// A time in the clock of an executor's context.
class deadline {
 public:
  using duration = exec::clock::duration;

  /// `after` may be as long as a duration can be.
  deadline(const asio::any_io_executor& caller, duration after)
      : caller_(caller), at_(detail::saturating_add(exec::now(caller), after)) {}

  /// The earlier one of this and `after` from now on.
  [[nodiscard]] deadline or_sooner(duration after) const {
    deadline sooner(caller_, after);
    sooner.at_ = std::min(sooner.at_, at_);
    return sooner;
  }
  /// Zero when it is over.
  [[nodiscard]] duration left() const {
    return std::max(detail::saturating_sub(at_, exec::now(caller_)), duration::zero());
  }
  [[nodiscard]] bool is_over() const { return left() == duration::zero(); }
  [[nodiscard]] const asio::any_io_executor& caller() const noexcept { return caller_; }

 private:
  asio::any_io_executor caller_;
  exec::clock::time_point at_;
};

// Servers and nats.c add durations to dates without a look, so the longest is cut to one that they
// can add.

/// For a server, which counts nanoseconds since 1970: for ever is a hundred years.
[[nodiscard]] inline std::int64_t nanoseconds(std::chrono::nanoseconds of) noexcept {
  constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 36500);
  return std::min(of, longest).count();
}

/// For nats.c, which keeps milliseconds in an `int` in places: for ever is 24 days, after which it
/// tries again. At least 1.
[[nodiscard]] inline std::int64_t milliseconds(std::chrono::nanoseconds of) noexcept {
  constexpr std::int64_t longest = std::numeric_limits<std::int32_t>::max();
  const auto all = std::chrono::duration_cast<std::chrono::milliseconds>(of).count();
  return std::clamp<std::int64_t>(all, 1, longest);
}

// --- A thread. -----------------------------------------------------------------------------------

/// Runs jobs, one at a time, each when its time has come. The thread is made for the first job.
/// Thread-safe. The destructor drops jobs that have not begun, and waits for a job that runs,
/// unless it is called by that job.
class blocking_thread {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  blocking_thread();
  ~blocking_thread();
  blocking_thread(const blocking_thread&) = delete;
  blocking_thread& operator=(const blocking_thread&) = delete;

  /// Jobs do not throw.
  void at(time_point when, std::function<void()> job);
  void run(std::function<void()> job) { at(time_point::min(), std::move(job)); }

 private:
  struct jobs;
  std::shared_ptr<jobs> jobs_;
};

/// Waits for the end of a thread that has nothing left to do. A thread cannot wait for itself: it
/// is left alone, and must keep all that it needs.
inline void join_unless_self(std::thread& ending) {
  if (ending.get_id() == std::this_thread::get_id()) {
    ending.detach();
  } else {
    ending.join();
  }
}

}  // namespace msgbus::nats
