#pragma once

/// Read-copy-update: readers take no lock and write no shared memory; writers wait until no reader
/// can see an unlinked object.
///
/// A reader holds a `guard` on the `domain` (one per component) while it reads and runs handlers. A
/// writer unlinks objects from the domain, then passes them to `retire`, which destroys them after
/// every guard that existed at the call has ended. The proof, also that the reader needs no fence,
/// is in docs/design/0002-snapshots.md.

#include <msgbus/detail/routing/retire_list.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace msgbus::routing {

/// The identity of a guarded set of objects.
class domain {
 public:
  domain() = default;
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;
};

namespace guarding {

/// The slot of a guard. Written by the thread that owns it, read by writers; null while it is free.
using slot = std::atomic<const domain*>;

// The slots of a thread are in aligned blocks, each after a head.
inline constexpr std::size_t block_size = 256;
inline bool is_last(const slot* place) noexcept {
  return (reinterpret_cast<std::uintptr_t>(place) & (block_size - 1)) == block_size - sizeof(slot);
}

struct block_head {
  std::atomic<unsigned> notify_on_exit{0};  // not 0: call `leave` when a guard of this block ends
};
inline block_head& head_of(slot* place) noexcept {
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(place) & (block_size - 1);
  return *reinterpret_cast<block_head*>(reinterpret_cast<std::byte*>(place) - offset);
}

// The variable's address needs no function call, also in a shared library.
#if defined(__GNUC__) && defined(__linux__)
#define MSGBUS_STATIC_TLS [[gnu::tls_model("initial-exec")]]
#else
#define MSGBUS_STATIC_TLS
#endif

// The slot of this thread's outermost guard. Before the thread's first guard, it is a last slot
// that is in use, so the guard calls `enter`. The same holds if writers cannot make readers pass a
// fence (see src/routing/fence.hpp).
MSGBUS_STATIC_TLS extern constinit thread_local slot* first_place;

#undef MSGBUS_STATIC_TLS

/// The slow path of the guard: a first guard, a full block, a fence.
slot* enter(const domain& guarded);
void leave(slot* left) noexcept;

}  // namespace guarding

// The guard must stay in registers: a call that takes its address doubles its cost.
#if defined(__GNUC__)
#define MSGBUS_ALWAYS_INLINE [[gnu::always_inline]]
#else
#define MSGBUS_ALWAYS_INLINE
#endif

/// During its lifetime, no object that was reachable in the domain at its construction is
/// destroyed. Guards nest, over the same or other domains. They end on their thread, in the reverse
/// order of their construction.
class guard {
 public:
  MSGBUS_ALWAYS_INLINE explicit guard(const domain& guarded) : at_(enter(guarded)) {}

  MSGBUS_ALWAYS_INLINE ~guard() {
    // Release: a writer that sees the free slot also sees the end of all reading.
    at_->store(nullptr, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (guarding::head_of(at_).notify_on_exit.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      guarding::leave(at_);
    }
  }

  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  MSGBUS_ALWAYS_INLINE static guarding::slot* enter(const domain& guarded) {
    guarding::slot* mine = guarding::first_place;
    while (mine->load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
      if (guarding::is_last(mine)) return guarding::enter(guarded);
      ++mine;
    }
    // Release: a writer that sees another domain also sees the end of the previous guard.
    mine->store(&guarded, std::memory_order_release);
    // Orders the compiler only; the writer's fence orders the processor (src/routing/fence.hpp).
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return mine;
  }

  guarding::slot* const at_;
};

#undef MSGBUS_ALWAYS_INLINE

/// Whether this thread holds a guard of any domain, so it is inside a handler or a dependency.
[[nodiscard]] bool inside_guard() noexcept;

/// Destroys `things`, which were unlinked before, after every current guard on `guarded` has ended.
/// Returns when that is done. On a thread inside a guard it does not wait; the last of those guards
/// destroys them when it ends. Do not hold locks.
void retire(const domain& guarded, retire_list things) noexcept;

/// As above, but never waits.
void retire_later(const domain& guarded, retire_list things) noexcept;

}  // namespace msgbus::routing
