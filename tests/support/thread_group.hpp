#pragma once

// Threads for tests. They start together, are stopped together, and pass their exceptions on.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
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

/// The time after which a wait for a necessary event fails the test.
inline constexpr std::chrono::seconds deadline{60};

/// The number of rounds of a stress test: the given number, times MSGBUS_STRESS if that is set.
inline int rounds(int number) {
  const char* const factor = std::getenv("MSGBUS_STRESS");
  return number * (factor ? std::max(1, std::atoi(factor)) : 1);
}

/// For threads other than the test's own: Catch2's assertions are not thread-safe.
inline void expect(bool holds, const char* sentence) {
  if (!holds) throw std::runtime_error(std::string("not true: ") + sentence);
}

/// Waits for a coroutine or a thread that uses variables of its test. The test cannot leave them
/// before that has ended: if it takes too long, the process ends, and says what it has waited for.
template <class T>
void wait_for_end(const std::future<T>& of, const char* what,
                  std::chrono::seconds within = deadline) {
  if (of.wait_for(within) == std::future_status::ready) return;
  std::fprintf(stderr, "waited too long for %s\n", what);
  std::abort();
}
template <class T>
T end_of(std::future<T> of, const char* what) {
  wait_for_end(of, what);
  return of.get();
}
/// All have ended when the exception of one is thrown.
template <class T>
void end_of_all(std::vector<std::future<T>>& all, const char* what,
                std::chrono::seconds within = deadline) {
  for (const auto& each : all) wait_for_end(each, what, within);
  for (auto& each : all) each.get();
}

/// An event that one thread awaits and another one sets, once.
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

/// Runs each job repeatedly on its own thread, until `stop`, which joins the threads.
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

  /// The number of runs of jobs, by all threads.
  [[nodiscard]] long turns() const { return turns_.load(std::memory_order_relaxed); }

  /// Returns after that many further runs of jobs.
  void wait_for_turns(long more) const {
    const long target = turns() + more;
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (turns() < target) {
      if (std::chrono::steady_clock::now() > until)
        throw std::runtime_error("the thread group is stuck");
      std::this_thread::yield();
    }
  }

  /// Joins all threads. Throws the exception of the first one that failed.
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
