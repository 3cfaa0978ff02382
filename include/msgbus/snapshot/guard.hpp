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
  domain();
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;
};

namespace detail {

/// One guard's place. Written by the thread that owns it, read by writers.
struct slot {
  std::atomic<const domain*> reading{nullptr};  // null while no guard is in this place
  std::atomic<std::uint64_t> turn{0};           // how many guards have been in this place
};

/// A thread's guards, innermost last. Records are reused by later threads and never freed.
struct reader {
  slot* top;                        // the next free place; only the owning thread uses it
  slot* end;                        // the end of the block that `top` is in; likewise
  std::atomic<bool> wanted{false};  // a writer asks to be told when a guard here ends
};

// Set once, before the first domain exists, where the system can make every other thread pass a
// full fence on request: readers then need none of their own.
inline constinit std::atomic<bool> writers_fence{false};

extern constinit thread_local reader* this_reader;

reader& join();                          // gives this thread a record
slot* grow(reader& self);                // gives it more places
void guard_ended(reader& self) noexcept; // tells the writers who wait for this thread
void fence() noexcept;

/// Keeps the stores before it from passing the loads after it, as seen by a writer between its
/// unlinking and its look at the slots.
inline void reader_fence() noexcept {
  if (writers_fence.load(std::memory_order_relaxed)) [[likely]] {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    fence();
  }
}

}  // namespace detail

/// While it lives, nothing that was reachable in the domain when it was made is destroyed. Guards
/// nest, over the same or other domains; the last one made ends first, on the same thread.
class guard {
 public:
  explicit guard(const domain& what)
      : reader_(detail::this_reader ? *detail::this_reader : detail::join()),
        top_(reader_.top),
        end_(reader_.end) {
    slot_ = top_ == end_ ? detail::grow(reader_) : top_;
    reader_.top = slot_ + 1;
    // Release: who sees this turn or this domain also sees that the previous guard has ended.
    slot_->turn.store(slot_->turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    slot_->reading.store(&what, std::memory_order_release);
    detail::reader_fence();
  }

  ~guard() {
    slot_->reading.store(nullptr, std::memory_order_release);
    reader_.top = top_;
    reader_.end = end_;
    detail::reader_fence();
    if (reader_.wanted.load(std::memory_order_relaxed)) [[unlikely]] detail::guard_ended(reader_);
  }

  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;

 private:
  detail::reader& reader_;
  detail::slot* const top_;
  detail::slot* const end_;
  detail::slot* slot_;
};

/// Whether this thread holds a guard of any domain: it is inside a handler or a dependency.
[[nodiscard]] bool inside_guard() noexcept;

/// Destroys `things`, which were unlinked before, once every guard on `what` that now exists has
/// ended. Returns when that is done; on a thread that is inside a guard it never waits, and the
/// last of those guards destroys them as it ends. Call it without holding locks.
void retire(const domain& what, trash things) noexcept;

/// The same, but never waits.
void retire_later(const domain& what, trash things) noexcept;

}  // namespace msgbus::snapshot
