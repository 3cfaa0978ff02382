#pragma once

/// The threads that serve connections.

#include "core/text.hpp"

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace msgbus::monitoring {

/// Begins threads as they are needed, up to a number. The thread that accepts connections waits
/// where too many wait already: then the system's own queue refuses further ones.
class workers final : public httplib::TaskQueue {
 public:
  explicit workers(std::size_t most) : most_(most) {}
  workers(const workers&) = delete;
  workers& operator=(const workers&) = delete;
  ~workers() override = default;

  using enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));

  enqueued enqueue(std::function<void()> work) override {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return waiting_.size() < most_waiting; });
      waiting_.push_back(std::move(work));
      if (idle_ < waiting_.size() && threads_.size() < most_) begin_thread();
      if (threads_.empty()) {  // none can begin: this thread does it
        work = std::move(waiting_.back());
        waiting_.pop_back();
        lock.unlock();
        serve(work);
        return enqueued(true);
      }
    }
    changed_.notify_all();
    return enqueued(true);
  }

  /// Ends when all work that came has been done.
  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& each : threads_) each.join();
  }

 private:
  static constexpr std::size_t most_waiting = 16;

  void begin_thread() {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::exception&) {
      return;  // the threads that there are do it, or the one that accepts
    }
  }

  static void serve(const std::function<void()>& work) noexcept {
    try {
      work();
    } catch (...) {
      msgbus::detail::say_thrown_by("a request to a monitor");
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      --idle_;
      if (waiting_.empty()) return;
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      changed_.notify_all();
      serve(work);
      lock.lock();
    }
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex.
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ended_ = false;
};

}  // namespace msgbus::monitoring
