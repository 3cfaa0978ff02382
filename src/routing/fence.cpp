#include "routing/fence.hpp"

#include <atomic>

#if defined(__linux__) && !defined(MSGBUS_NO_MEMBARRIER)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace msgbus::routing::guarding {

bool writers_fence() {
  static const bool registered =
      syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return registered;
}

namespace {

void interrupt_others() {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  // Readers already rely on membarrier. Without it, objects in use would be freed.
  std::fprintf(stderr, "msgbus: the process may no longer call membarrier(2), which it needs: %s\n",
               std::strerror(errno));
  std::abort();
}

constinit shared_fence expedited{&interrupt_others};

}  // namespace

void writer_fence() {
  if (writers_fence()) {
    expedited.pass();
  } else {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
}

}  // namespace msgbus::routing::guarding

#else

namespace msgbus::routing::guarding {

bool writers_fence() { return false; }
void writer_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace msgbus::routing::guarding

#endif

namespace msgbus::routing::guarding {

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

}  // namespace msgbus::routing::guarding
