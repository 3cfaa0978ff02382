#include <msgbus/detail/routing/guard.hpp>

#include "routing/fence.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace msgbus::routing {

namespace guarding {

namespace {

// The bits of `block_head::notify_on_exit`.
constexpr unsigned always_fence = 1;  // writers cannot make readers pass a fence
constexpr unsigned wanted = 2;        // a writer waits for a guard of this block

/// Some of the slots of one thread. A full block gets a next one.
struct alignas(block_size) block : block_head {
  static constexpr std::size_t places = (block_size - 2 * sizeof(void*)) / sizeof(slot);

  std::atomic<block*> next{nullptr};
  std::array<slot, places> slots{};
};
static_assert(sizeof(block) == block_size);

// The `first_place` of a thread without guards: a last slot that is in use.
constinit const domain nothing;
struct alignas(block_size) taken_place {
  std::array<unsigned char, block_size - sizeof(slot)> before{};
  slot place{&nothing};
};
constinit taken_place no_place;

std::unique_ptr<block> make_block() {
  auto made = std::make_unique<block>();
  if (!writers_fence()) made->notify_on_exit = always_fence;
  return made;
}

/// The blocks of a thread that has had a guard. Later threads reuse records; neither records nor
/// blocks are ever freed.
struct record {
  block* const first = make_block().release();
  record* next = nullptr;         // in the list of all records; constant once it is there
  std::atomic<bool> taken{true};  // a living thread owns it
};

// Records are only ever added, so writers walk the list without a lock.
constinit std::atomic<record*> all_records{nullptr};

}  // namespace

constinit thread_local slot* first_place = &no_place.place;

namespace {

// Null before the thread's first guard.
constinit thread_local record* this_record = nullptr;
constinit thread_local bool thread_ended = false;

/// Gives the record back when the thread ends.
struct membership {
  record* mine = nullptr;
  ~membership() {
    thread_ended = true;
    first_place = &no_place.place;
    this_record = nullptr;
    if (mine) mine->taken.store(false, std::memory_order_release);
  }
};
thread_local membership this_membership;

record* reuse() {
  for (record* each = all_records.load(std::memory_order_acquire); each; each = each->next) {
    bool taken = false;
    if (each->taken.compare_exchange_strong(taken, true, std::memory_order_acquire)) return each;
  }
  return nullptr;
}

record* add() {
  auto* made = new record;
  made->next = all_records.load(std::memory_order_relaxed);
  while (!all_records.compare_exchange_weak(made->next, made, std::memory_order_release,
                                            std::memory_order_relaxed)) {
  }
  return made;
}

/// A guard that a writer has seen, and may have to wait for.
struct sighting {
  block* in;
  const slot* place;

  // A later guard of the same domain in the same slot is not distinguished. That is harmless: its
  // owner will call `leave` when it ends, and the slot is free then.
  bool gone(const domain& guarded) const noexcept {
    return place->load(std::memory_order_acquire) != &guarded;
  }
};

std::vector<sighting> guards_on(const domain& guarded) {
  std::vector<sighting> found;
  for (record* each = all_records.load(std::memory_order_acquire); each; each = each->next) {
    for (block* b = each->first; b; b = b->next.load(std::memory_order_acquire)) {
      for (const slot& place : b->slots) {
        if (place.load(std::memory_order_acquire) == &guarded) found.push_back({b, &place});
      }
    }
  }
  return found;
}

/// Objects whose destruction waits for the end of guards.
struct pending {
  const domain* guarded;
  std::vector<sighting> guards;
  retire_list things;
  bool* done;  // set for the waiting writer; null if none waits
};

// Used by writers that found guards on their domain, and by the readers whose guards they wait for.
class pending_retirements {
 public:
  static pending_retirements& instance() {
    static auto* pending = new pending_retirements;  // never destroyed: static components use it
    return *pending;
  }

  void enter(pending entry) {
    const std::vector<sighting> guards = entry.guards;
    {
      const std::lock_guard lock(mutex_);
      entries_.push_back(std::move(entry));
    }
    for (const sighting& each : guards) each.in->notify_on_exit.fetch_or(wanted);
    // A guard that ends from now on sees `wanted`, or `collect` sees that it has ended.
    writer_fence();
    collect();
  }

  void wait(const bool& done) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return done; });
  }

  /// Destroys the objects that wait for no guard any more.
  void collect() { destroy(take_ready(nullptr)); }

  void guard_ended(block_head& self) { destroy(take_ready(&self)); }

 private:
  std::list<pending> take_ready(block_head* self) {
    std::list<pending> ready;
    const std::lock_guard lock(mutex_);
    if (self) self->notify_on_exit.fetch_and(~wanted);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      auto& guards = entry->guards;
      std::erase_if(guards, [&](const sighting& each) { return each.gone(*entry->guarded); });
      for (const sighting& each : guards) {
        if (each.in == self) self->notify_on_exit.fetch_or(wanted);
      }
      const auto next = std::next(entry);
      if (guards.empty()) ready.splice(ready.end(), entries_, entry);
      entry = next;
    }
    return ready;
  }

  void destroy(std::list<pending> ready) {
    for (pending& each : ready) {
      each.things = retire_list();  // runs users' destructors, without the lock
      if (each.done) {
        const std::lock_guard lock(mutex_);
        *each.done = true;
        ended_.notify_all();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<pending> entries_;
};

// Most guards end within the time of a second fence, so this polls them for about that time.
void wait_briefly(const domain& guarded, std::vector<sighting>& guards) {
  for (int looks = 0; looks < 200 && !guards.empty(); ++looks) {
    std::erase_if(guards, [&](const sighting& each) { return each.gone(guarded); });
  }
}

// `noexcept`: without memory to wait for readers, the program cannot continue.
void retire(const domain& guarded, retire_list things, bool may_wait) noexcept {
  writer_fence();
  auto guards = guards_on(guarded);
  if (may_wait) wait_briefly(guarded, guards);
  if (guards.empty()) return;  // `things` are destroyed here
  bool done = false;
  auto& pending = pending_retirements::instance();
  pending.enter({&guarded, std::move(guards), std::move(things), may_wait ? &done : nullptr});
  if (may_wait) pending.wait(done);
}

}  // namespace

namespace {

void join() {
  record* mine = nullptr;
  if (thread_ended) {
    mine = add();  // in the thread's last destructors: the record stays taken
  } else {
    mine = reuse();
    if (!mine) mine = add();
    this_membership.mine = mine;
  }
  this_record = mine;
  if (writers_fence()) first_place = mine->first->slots.data();
}

slot* free_place(block& from) {
  for (slot& each : from.slots) {
    if (each.load(std::memory_order_relaxed) == nullptr) return &each;
  }
  block* next = from.next.load(std::memory_order_relaxed);
  if (!next) {
    next = make_block().release();
    from.next.store(next, std::memory_order_release);
  }
  return free_place(*next);
}

}  // namespace

slot* enter(const domain& guarded) {
  if (!this_record) join();
  slot* const mine = free_place(*this_record->first);
  mine->store(&guarded, std::memory_order_release);
  // Where writers cannot fence for the reader, this orders its loads after its store.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return mine;
}

void leave(slot* left) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  block_head& head = head_of(left);
  if (head.notify_on_exit.load(std::memory_order_relaxed) & wanted) {
    pending_retirements::instance().guard_ended(head);
  }
}

}  // namespace guarding

bool inside_guard() noexcept {
  const guarding::record* self = guarding::this_record;
  return self && self->first->slots.front().load(std::memory_order_relaxed) != nullptr;
}

void retire(const domain& guarded, retire_list things) noexcept {
  guarding::retire(guarded, std::move(things), !inside_guard());
}

void retire_later(const domain& guarded, retire_list things) noexcept {
  guarding::retire(guarded, std::move(things), false);
}

}  // namespace msgbus::routing
