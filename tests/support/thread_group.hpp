#pragma once

// Threads for tests: they start together, stop when told, and hand on what they threw.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace msgbus_test {

/// How long a test waits for something that must happen before it says that it did not.
inline constexpr std::chrono::seconds deadline{60};

/// How many rounds a stress test makes: the number given, times MSGBUS_STRESS if that is set.
inline int rounds(int number) {
  const char* const factor = std::getenv("MSGBUS_STRESS");
  return number * (factor ? std::max(1, std::atoi(factor)) : 1);
}

/// For threads other than the test's own: Catch2's assertions are not thread-safe.
inline void expect(bool holds, const char* sentence) {
  if (!holds) throw std::runtime_error(std::string("not true: ") + sentence);
}

/// Something that one thread waits for and another one makes happen, once.
class event {
 public:
  void set() { promise_.set_value(); }
  void wait() const {
    if (future_.wait_for(deadline) != std::future_status::ready) {
      throw std::runtime_error("waited too long for an event");
    }
  }
  [[nodiscard]] bool is_set() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_{promise_.get_future()};
};

/// Runs each job again and again on a thread of its own until `stop`, which joins them.
class thread_group {
 public:
  thread_group() = default;
  ~thread_group() {
    stopped_ = true;
    for (std::thread& each : threads_) {
      if (each.joinable()) each.join();
    }
  }

  void repeat(std::function<void()> job) {
    std::promise<void> ended;
    results_.push_back(ended.get_future());
    threads_.emplace_back([this, job = std::move(job), ended = std::move(ended)]() mutable {
      try {
        while (!stopped_) {
          job();
          turns_.fetch_add(1, std::memory_order_relaxed);
        }
        ended.set_value();
      } catch (...) {
        ended.set_exception(std::current_exception());
      }
    });
  }

  /// How many times jobs have been run, by all threads.
  [[nodiscard]] long turns() const { return turns_.load(std::memory_order_relaxed); }

  /// Returns when jobs have been run so many times more.
  void wait_for_turns(long more) const {
    const long target = turns() + more;
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (turns() < target) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error("the thread group is stuck");
      std::this_thread::yield();
    }
  }

  /// Joins all and throws what the first one that failed threw.
  void stop() {
    stopped_ = true;
    for (std::thread& each : threads_) each.join();
    threads_.clear();
    for (auto& each : results_) each.get();
    results_.clear();
  }

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<long> turns_{0};
  std::vector<std::thread> threads_;
  std::vector<std::future<void>> results_;
};

}  // namespace msgbus_test
