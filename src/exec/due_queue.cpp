#include <msgbus/detail/exec/due_queue.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>
#include <cassert>

namespace msgbus::exec {

clock::time_point next_occurrence(clock::time_point due, clock::duration period,
                                  clock::time_point now, missed late) noexcept {
  assert(period > clock::duration::zero() && "msgbus: a recurring schedule needs a period");
  if (late == missed::catch_up || now < due) return saturating_add(due, period);
  const clock::duration since = saturating_sub(now, due);
  return saturating_add(now, period - since % period);
}

due_key due_queue::add(time_point due) {
  if (numbers_ == nobody) number_anew();
  // Space for entries in hand as well: `again` must not fail.
  const std::size_t wanted = used_ + dead_ + 1;
  if (heap_.capacity() < wanted) heap_.reserve(std::max<std::size_t>(16, 2 * wanted));
  if (first_free_ == nobody) {
    slots_.emplace_back();
    first_free_ = static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t at = first_free_;
  slot& mine = slots_[at];
  first_free_ = mine.next_free;
  mine.order = ++orders_;
  mine.number = ++numbers_;
  mine.waits = true;
  ++used_;
  heap_.push({due, mine.number, at});
  return {at, mine.order};
}

std::optional<due_queue::taken> due_queue::take(time_point now) noexcept {
  if (heap_.empty() || heap_.first().due > now) return std::nullopt;
  if (heap_.first().due == time_point::max()) return std::nullopt;
  return take_first();
}

std::optional<due_queue::taken> due_queue::take_first() noexcept {
  if (heap_.empty()) return std::nullopt;
  const due_heap::entry first = heap_.first();  // never a dead one
  heap_.pop();
  slot& of = slots_[first.slot];
  of.waits = false;
  drop_dead();
  return taken{{first.slot, of.order}, first.due};
}

bool due_queue::again(const due_key& key, time_point due) noexcept {
  if (!contains(key)) return false;
  slot& of = slots_[key.slot];
  assert(!of.waits && heap_.size() < heap_.capacity());
  of.waits = true;
  heap_.push({due, of.number, key.slot});
  return true;
}

bool due_queue::remove(const due_key& key) noexcept {
  if (!contains(key)) return false;
  slot& gone = slots_[key.slot];
  if (gone.waits) ++dead_;
  gone = {0, 0, first_free_, false};
  first_free_ = key.slot;
  --used_;
  if (used_ == 0) {
    shrink();
  } else if (2 * dead_ > heap_.size()) {
    remove_dead();
  } else {
    drop_dead();
  }
  return true;
}

bool due_queue::contains(const due_key& key) const noexcept {
  return key.order != 0 && key.slot < slots_.size() && slots_[key.slot].order == key.order;
}

std::optional<due_queue::time_point> due_queue::next() const noexcept {
  if (heap_.empty()) return std::nullopt;
  return heap_.first().due;
}

due_queue::upcoming due_queue::prefetch_upcoming() const noexcept {
  upcoming next{slots_.size(), slots_.size()};
  if (heap_.empty()) return next;
  next.first = heap_.first().slot;
  const due_heap::entry* const second = heap_.second();
  if (!second) return next;
  next.second = second->slot;
  prefetch(&slots_[next.second]);
  return next;
}

std::vector<due_key> due_queue::never_due() const {
  std::vector<due_key> all;
  heap_.for_each([&](const due_heap::entry& each) {
    if (each.due == time_point::max() && lives(each)) {
      all.push_back({each.slot, slots_[each.slot].order});
    }
  });
  std::ranges::sort(all, {}, &due_key::order);
  return all;
}

// Keeps the earliest entry alive.
void due_queue::drop_dead() noexcept {
  while (dead_ != 0 && !heap_.empty() && !lives(heap_.first())) {
    heap_.pop();
    --dead_;
  }
}

void due_queue::remove_dead() noexcept {
  heap_.rebuild([this](const due_heap::entry& each) { return lives(each); });
  dead_ = 0;
}

// The entries keep their order. Once in 2^32 calls of `add`.
void due_queue::number_anew() {
  std::vector<slot*> used;
  used.reserve(used_);
  for (slot& each : slots_) {
    if (each.order != 0) used.push_back(&each);
  }
  remove_dead();
  std::sort(used.begin(), used.end(),
            [](const slot* one, const slot* other) { return one->order < other->order; });
  numbers_ = 0;
  for (slot* const each : used) each->number = ++numbers_;
  heap_.rebuild([this](due_heap::entry& each) {
    each.number = slots_[each.slot].number;
    return true;
  });
}

// Nothing is left: the memory of many is not kept for few.
void due_queue::shrink() noexcept {
  heap_.clear();
  dead_ = 0;
  if (slots_.size() <= 64) return;
  heap_ = {};
  slots_ = {};
  first_free_ = nobody;
}

}  // namespace msgbus::exec
