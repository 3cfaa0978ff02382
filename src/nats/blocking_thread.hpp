#pragma once

/// A thread that calls of nats.c may block: see docs/design/0020.

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace msgbus::nats {

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
