#include "times.hpp"

#include <msgbus/detail/core/durations.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace msgbus::nats {

struct blocking_thread::jobs {
  std::mutex mutex;
  std::condition_variable changed;
  std::multimap<time_point, std::function<void()>> waiting;  // equal times: in order of arrival
  bool stopped = false;
  std::thread thread;  // under the mutex until it is stopped

  void loop() {
    std::unique_lock lock(mutex);
    while (!stopped) {
      if (waiting.empty()) {
        changed.wait(lock);
        continue;
      }
      const auto first = waiting.begin();
      if (first->first > std::chrono::steady_clock::now()) {
        changed.wait_until(lock, detail::within_an_hour(first->first));
        continue;
      }
      auto job = std::move(first->second);
      waiting.erase(first);
      lock.unlock();
      job();
      job = nullptr;  // may end this: not under the lock
      lock.lock();
    }
  }
};

blocking_thread::blocking_thread() : jobs_(std::make_shared<jobs>()) {}

blocking_thread::~blocking_thread() {
  decltype(jobs::waiting) dropped;
  {
    const std::lock_guard lock(jobs_->mutex);
    jobs_->stopped = true;
    dropped.swap(jobs_->waiting);
  }
  jobs_->changed.notify_all();
  if (!jobs_->thread.joinable()) return;
  join_unless_self(jobs_->thread);  // after its own job it ends at once
}

void blocking_thread::at(time_point when, std::function<void()> job) {
  const std::shared_ptr<jobs> all = jobs_;  // the job may destroy this before the call returns
  {
    const std::lock_guard lock(all->mutex);
    if (all->stopped) return;
    if (!all->thread.joinable()) all->thread = std::thread([all] { all->loop(); });
    all->waiting.emplace(when, std::move(job));
  }
  all->changed.notify_one();
}

}  // namespace msgbus::nats
