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

/// A thread's guards, innermost last. Records are reused by later threads and never freed.
struct reader {
  slot* top = nullptr;                // the next free place; only the owning thread uses it
  std::atomic<unsigned> on_leave{0};  // not 0: call `leave` when a guard ends
};

// Places come in aligned blocks whose last one is not a place but the end of the block.
inline constexpr std::size_t block_size = 256;
inline bool is_end_of_block(const slot* place) noexcept {
  return (reinterpret_cast<std::uintptr_t>(place) & (block_size - 1)) == block_size - sizeof(slot);
}

// A reader without a place before the thread's first guard, so that it goes through `enter`. It
// stays so where writers cannot make readers pass a fence (see src/snapshot/fence.hpp).
extern constinit thread_local reader* this_reader;

/// Where a guard is.
struct place {
  detail::reader* reader;
  detail::slot* slot;
};

/// What the guard does, with everything that is not quick: a first guard, a full block, a fence.
place enter(const domain& what);
void leave(reader& self) noexcept;

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
    at_.slot->store(nullptr, std::memory_order_release);
    at_.reader->top = at_.slot;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (at_.reader->on_leave.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      detail::leave(*at_.reader);
    }
  }

  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  MSGBUS_ALWAYS_INLINE static detail::place enter(const domain& what) {
    detail::reader* const self = detail::this_reader;
    if (detail::is_end_of_block(self->top)) [[unlikely]]
      return detail::enter(what);
    detail::slot* const mine = self->top;
    self->top = mine + 1;
    // Release: a writer who finds another domain here also finds that the guard before has ended.
    mine->store(&what, std::memory_order_release);
    // Keeps the compiler's order; the processor's order is the writer's business.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return {self, mine};
  }

  const detail::place at_;
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
