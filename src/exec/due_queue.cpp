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
  // Room for what is in hand as well: `again` must not fail.
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
  mine.waits = true;
  ++used_;
  heap_.push_back({due, mine.order, at});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return {at, mine.order};
}

std::optional<due_queue::taken> due_queue::take(time_point now) noexcept {
  if (heap_.empty() || heap_.front().due > now) return std::nullopt;
  if (heap_.front().due == time_point::max()) return std::nullopt;
  return take_first();
}

std::optional<due_queue::taken> due_queue::take_first() noexcept {
  if (heap_.empty()) return std::nullopt;
  const heap_entry first = heap_.front();  // never a dead one
  std::pop_heap(heap_.begin(), heap_.end(), later);
  heap_.pop_back();
  slots_[first.slot].waits = false;
  drop_dead();
  return taken{{first.slot, first.order}, first.due};
}

bool due_queue::again(const due_key& key, time_point due) noexcept {
  if (!contains(key)) return false;
  assert(!slots_[key.slot].waits && heap_.size() < heap_.capacity());
  slots_[key.slot].waits = true;
  heap_.push_back({due, key.order, key.slot});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return true;
}

bool due_queue::remove(const due_key& key) noexcept {
  if (!contains(key)) return false;
  slot& gone = slots_[key.slot];
  if (gone.waits) ++dead_;
  gone = {0, first_free_, false};
  first_free_ = key.slot;
  --used_;
  if (used_ == 0) {
    shrink();
  } else if (2 * dead_ > heap_.size()) {
    std::erase_if(heap_, [this](const heap_entry& each) { return !lives(each); });
    std::make_heap(heap_.begin(), heap_.end(), later);
    dead_ = 0;
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
  return heap_.front().due;
}

std::vector<due_key> due_queue::never_due() const {
  std::vector<due_key> all;
  for (const heap_entry& each : heap_) {
    if (each.due == time_point::max() && lives(each)) all.push_back({each.slot, each.order});
  }
  std::ranges::sort(all, {}, &due_key::order);
  return all;
}

// Keeps the earliest place alive.
void due_queue::drop_dead() noexcept {
  while (dead_ != 0 && !heap_.empty() && !lives(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    --dead_;
  }
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
