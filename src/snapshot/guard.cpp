#include <msgbus/snapshot/guard.hpp>

#include "fence.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <list>
#include <mutex>

namespace msgbus::snapshot {

namespace detail {

constinit thread_local reader* this_reader = nullptr;

namespace {

struct block {
  std::array<slot, 15> slots;
  std::atomic<block*> next{nullptr};
};

struct record : reader {
  record() : reader{nullptr, nullptr} {
    top = first.slots.data();
    end = top + first.slots.size();
  }

  block first;
  record* next = nullptr;          // in the list of all records, fixed once it is there
  std::atomic<bool> taken{true};   // some living thread owns it
};

// Records are only ever added, so writers walk the list without a lock.
constinit std::atomic<record*> all_records{nullptr};

/// Gives the record of a thread back when the thread ends.
constinit thread_local bool thread_ended = false;

struct membership {
  record* mine = nullptr;
  ~membership() {
    thread_ended = true;
    this_reader = nullptr;
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

/// A guard that a writer saw, and may have to wait for.
struct sighting {
  record* owner;
  const slot* place;
  std::uint64_t turn;

  bool gone(const domain& what) const noexcept {
    // Acquire pairs with the release of the guard's end or of the place's next turn.
    return place->reading.load(std::memory_order_acquire) != &what ||
           place->turn.load(std::memory_order_acquire) != turn;
  }
};

std::vector<sighting> guards_on(const domain& what) {
  std::vector<sighting> found;
  for (record* each = all_records.load(std::memory_order_acquire); each; each = each->next) {
    for (block* b = &each->first; b; b = b->next.load(std::memory_order_acquire)) {
      for (const slot& place : b->slots) {
        if (place.reading.load(std::memory_order_acquire) != &what) continue;
        found.push_back({each, &place, place.turn.load(std::memory_order_acquire)});
      }
    }
  }
  return found;
}

/// Things that wait for guards to end.
struct pending {
  const domain* what;
  std::vector<sighting> guards;
  trash things;
  bool* done;  // where the waiting writer looks; null if nobody waits
};

// Only writers that found guards in their way come here, and the readers they asked to be told.
class waiting_room {
 public:
  static waiting_room& instance() {
    static auto* room = new waiting_room;  // outlives every static object that holds a component
    return *room;
  }

  void enter(pending entry) {
    const std::vector<sighting> guards = entry.guards;
    {
      const std::lock_guard lock(mutex_);
      entries_.push_back(std::move(entry));
    }
    for (const sighting& each : guards) each.owner->wanted.store(true, std::memory_order_relaxed);
    // A guard that ends from here on sees that it is wanted, or is seen to have ended below.
    writer_fence();
    collect();
  }

  void wait(const bool& done) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return done; });
  }

  /// Destroys whatever waits for no guard any more.
  void collect() { destroy(take_ready(nullptr)); }

  void guard_ended(reader& self) { destroy(take_ready(&self)); }

 private:
  std::list<pending> take_ready(reader* self) {
    std::list<pending> ready;
    const std::lock_guard lock(mutex_);
    if (self) self->wanted.store(false, std::memory_order_relaxed);
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      auto& guards = entry->guards;
      std::erase_if(guards, [&](const sighting& each) { return each.gone(*entry->what); });
      for (const sighting& each : guards) {
        if (each.owner == self) self->wanted.store(true, std::memory_order_relaxed);
      }
      const auto next = std::next(entry);
      if (guards.empty()) ready.splice(ready.end(), entries_, entry);
      entry = next;
    }
    return ready;
  }

  void destroy(std::list<pending> ready) {
    for (pending& each : ready) {
      each.things = trash();  // runs destructors of users: no lock is held
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

// Without memory to wait there is no way to keep the promise: noexcept makes that the end.
void retire(const domain& what, trash things, bool may_wait) noexcept {
  writer_fence();
  auto guards = guards_on(what);
  if (guards.empty()) return;  // `things` go here
  bool done = false;
  auto& room = waiting_room::instance();
  room.enter({&what, std::move(guards), std::move(things), may_wait ? &done : nullptr});
  if (may_wait) room.wait(done);
}

}  // namespace

reader& join() {
  record* mine = nullptr;
  if (thread_ended) {
    mine = add();  // the thread's last destructors dispatch: nobody is left to give this back
  } else {
    mine = reuse();
    if (!mine) mine = add();
    this_membership.mine = mine;
  }
  this_reader = mine;
  return *mine;
}

slot* grow(reader& self) {
  block* last = &static_cast<record&>(self).first;
  while (self.end != last->slots.data() + last->slots.size()) {
    last = last->next.load(std::memory_order_relaxed);
  }
  block* next = last->next.load(std::memory_order_relaxed);
  if (!next) {
    next = new block;
    last->next.store(next, std::memory_order_release);
  }
  self.end = next->slots.data() + next->slots.size();
  return next->slots.data();
}

void guard_ended(reader& self) noexcept { waiting_room::instance().guard_ended(self); }

}  // namespace detail

domain::domain() { detail::prepare_fences(); }

bool inside_guard() noexcept {
  const auto* self = static_cast<const detail::record*>(detail::this_reader);
  return self && self->top != self->first.slots.data();
}

void retire(const domain& what, trash things) noexcept {
  detail::retire(what, std::move(things), !inside_guard());
}

void retire_later(const domain& what, trash things) noexcept {
  detail::retire(what, std::move(things), false);
}

}  // namespace msgbus::snapshot
