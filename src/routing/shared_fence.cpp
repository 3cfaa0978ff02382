#include "routing/fence.hpp"

namespace msgbus::snapshot::detail {

void shared_fence::pass() noexcept {
  std::unique_lock lock(mutex_);
  const std::uint64_t enough = begun_ + 1;  // a running fence began too early for this caller
  while (ended_ < enough) {
    if (runs_) {
      const unsigned seen = changed_.load(std::memory_order_relaxed);
      waiting_.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      changed_.wait(seen, std::memory_order_relaxed);
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      lock.lock();
      continue;
    }
    runs_ = true;
    const std::uint64_t mine = ++begun_;
    lock.unlock();
    fence_();
    lock.lock();
    runs_ = false;
    ended_ = mine;
    changed_.fetch_add(1, std::memory_order_relaxed);
    changed_.notify_all();
  }
}

}  // namespace msgbus::snapshot::detail
