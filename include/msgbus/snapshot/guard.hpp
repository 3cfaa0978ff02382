#pragma once

/// The snapshot scheme: readers that take no lock and write nothing that other threads write, and
/// writers who wait until no reader can still see what they have unlinked.
///
/// A reader holds a `guard` on the `domain` (one per component) while it reads and runs handlers.
/// A writer unlinks things from the domain, then gives them to `retire`, which destroys them once
/// every guard that was there at the call has gone. The argument why this is right, and why the
/// reader needs no fence, is docs/design/0002-snapshots.md.

#include <msgbus/snapshot/trash.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace msgbus::snapshot {

/// What a guard guards: an identity, nothing else.
class domain {
 public:
  domain() = default;
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;
};

namespace detail {

/// A guard's place. Written by the thread that owns it, read by writers; null while it is free.
using slot = std::atomic<const domain*>;

// A thread's places come in aligned blocks, each behind a head.
inline constexpr std::size_t block_size = 256;
inline bool is_last(const slot* place) noexcept {
  return (reinterpret_cast<std::uintptr_t>(place) & (block_size - 1)) == block_size - sizeof(slot);
}

struct block_head {
  std::atomic<unsigned> on_leave{0};  // not 0: call `leave` when a guard of this block ends
};
inline block_head& head_of(slot* place) noexcept {
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(place) & (block_size - 1);
  return *reinterpret_cast<block_head*>(reinterpret_cast<std::byte*>(place) - offset);
}

// Found without a call, also from within a shared library.
#if defined(__GNUC__) && defined(__linux__)
#define MSGBUS_STATIC_TLS [[gnu::tls_model("initial-exec")]]
#else
#define MSGBUS_STATIC_TLS
#endif

// Where this thread's outermost guard goes. Before the thread's first guard, and always where
// writers cannot make readers pass a fence (see src/snapshot/fence.hpp), it is a last place that is
// taken, so that the guard goes through `enter`.
MSGBUS_STATIC_TLS extern constinit thread_local slot* first_place;

#undef MSGBUS_STATIC_TLS

/// What the guard does, with everything that is not quick: a first guard, a full block, a fence.
slot* enter(const domain& what);
void leave(slot* left) noexcept;

}  // namespace detail

// The guard must stay in registers: a call that takes its address costs as much as all the rest.
#if defined(__GNUC__)
#define MSGBUS_ALWAYS_INLINE [[gnu::always_inline]]
#else
#define MSGBUS_ALWAYS_INLINE
#endif

/// While it lives, nothing that was reachable in the domain when it was made is destroyed. Guards
/// nest, over the same or other domains; the last one made ends first, on the same thread.
class guard {
 public:
  MSGBUS_ALWAYS_INLINE explicit guard(const domain& what) : at_(enter(what)) {}

  MSGBUS_ALWAYS_INLINE ~guard() {
    // Release: a writer who finds the place free also finds that all reading is over.
    at_->store(nullptr, std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (detail::head_of(at_).on_leave.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      detail::leave(at_);
    }
  }

  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  MSGBUS_ALWAYS_INLINE static detail::slot* enter(const domain& what) {
    detail::slot* mine = detail::first_place;
    while (mine->load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
      if (detail::is_last(mine)) return detail::enter(what);
      ++mine;
    }
    // Release: a writer who finds another domain here also finds that the guard before has ended.
    mine->store(&what, std::memory_order_release);
    // Keeps the compiler's order; the processor's order is the writer's business.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return mine;
  }

  detail::slot* const at_;
};

#undef MSGBUS_ALWAYS_INLINE

/// Whether this thread holds a guard of any domain: it is inside a handler or a dependency.
[[nodiscard]] bool inside_guard() noexcept;

/// Destroys `things`, which were unlinked before, once every guard on `what` that now exists has
/// ended. Returns when that is done; on a thread that is inside a guard it never waits, and the
/// last of those guards destroys them as it ends. Call it without holding locks.
void retire(const domain& what, trash things) noexcept;

/// The same, but never waits.
void retire_later(const domain& what, trash things) noexcept;

}  // namespace msgbus::snapshot
