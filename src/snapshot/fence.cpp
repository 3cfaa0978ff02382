#include "fence.hpp"

#include <msgbus/snapshot/guard.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__linux__) && !defined(MSGBUS_NO_MEMBARRIER)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#define MSGBUS_HAS_MEMBARRIER 1
#endif

namespace msgbus::snapshot::detail {

void fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

#ifdef MSGBUS_HAS_MEMBARRIER

namespace {

bool register_process() {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return false;
  writers_fence.store(true, std::memory_order_relaxed);
  return true;
}

bool registered() {
  static const bool done = register_process();
  return done;
}

}  // namespace

void prepare_fences() { (void)registered(); }

void writer_fence() {
  if (!registered()) return fence();
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) {
    // Readers already rely on it, so going on without it would free what they use.
    std::fprintf(stderr, "msgbus: membarrier was taken away from the process: %s\n",
                 std::strerror(errno));
    std::abort();
  }
}

#else

void prepare_fences() {}
void writer_fence() { fence(); }

#endif

}  // namespace msgbus::snapshot::detail
