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

namespace msgbus::snapshot::detail {

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

}  // namespace msgbus::snapshot::detail

#else

namespace msgbus::snapshot::detail {

bool writers_fence() { return false; }
void writer_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace msgbus::snapshot::detail

#endif
