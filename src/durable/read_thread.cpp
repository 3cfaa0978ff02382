#include "durable/read_thread.hpp"

#include <utility>

namespace msgbus::durable::detail {

bool read_thread::submit(task added) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    tasks_.push_back(std::move(added));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_one();
  return true;
}

void read_thread::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void read_thread::run() {
  std::unique_ptr<connection> open;
  for (;;) {
    task next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      next = std::move(tasks_.front());
      tasks_.pop_front();
    }
    std::exception_ptr why_not;
    if (!open) {
      try {
        open = std::make_unique<connection>(options_, connection::access::read);
      } catch (...) {
        why_not = std::current_exception();  // the next one tries again
      }
    }
    next(open.get(), why_not);
  }
}

}  // namespace msgbus::durable::detail
