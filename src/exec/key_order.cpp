#include <msgbus/detail/exec/key_order.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace msgbus::exec {

keyed_message::~keyed_message() = default;

key_order::~key_order() {
  while (oldest_) {
    const keyed_ptr gone(oldest_);
    oldest_ = oldest_->newer_;
  }
}

// --- The table -------------------------------------------------------------------------------

keyed_message* key_order::first_of_key(const keyed_message& of) noexcept {
  keyed_message* each = bucket_of(of);
  while (each && !each->is_same_key(of)) each = each->in_bucket_;
  return each;
}

void key_order::insert(keyed_message& first) noexcept {
  if (++keys_ > mask_ + 1) resize(std::max(2 * (mask_ + 1), fewest_buckets));
  slot& bucket = bucket_of(first);
  first.in_bucket_ = bucket;
  bucket = &first;
}

void key_order::replace_first(keyed_message& first, keyed_message* by) noexcept {
  slot* at = &bucket_of(first);
  while (*at != &first) at = &(*at)->in_bucket_;
  if (by) {
    by->in_bucket_ = first.in_bucket_;
    *at = by;
    return;
  }
  *at = first.in_bucket_;
  --keys_;
  if (mask_ + 1 > fewest_buckets && keys_ < (mask_ + 1) / 8) {
    resize(std::max((mask_ + 1) / 4, fewest_buckets));
  }
}

void key_order::resize(std::size_t buckets) noexcept {
  std::unique_ptr<slot[]> made(new (std::nothrow) slot[buckets]());
  if (!made) return;
  const std::size_t old = buckets_ ? mask_ + 1 : 0;
  const std::unique_ptr<slot[]> before = std::exchange(buckets_, std::move(made));
  mask_ = buckets - 1;
  const auto move_all = [this](keyed_message* each) {
    while (each) {
      keyed_message* const next = each->in_bucket_;
      slot& bucket = bucket_of(*each);
      each->in_bucket_ = bucket;
      bucket = each;
      each = next;
    }
  };
  move_all(std::exchange(single_, nullptr));
  for (std::size_t i = 0; i < old; ++i) move_all(before[i]);
}

// --- The ready queue, and the order of arrival -----------------------------------------------

void key_order::make_ready(keyed_message& first) noexcept {
  first.ready_before_ = last_ready_;
  first.ready_behind_ = nullptr;
  (last_ready_ ? last_ready_->ready_behind_ : first_ready_) = &first;
  last_ready_ = &first;
  ++ready_;
}

void key_order::unmake_ready(keyed_message& first) noexcept {
  (first.ready_before_ ? first.ready_before_->ready_behind_ : first_ready_) = first.ready_behind_;
  (first.ready_behind_ ? first.ready_behind_->ready_before_ : last_ready_) = first.ready_before_;
  --ready_;
}

void key_order::count_waiting(keyed_message& added) noexcept {
  added.older_ = newest_;
  (newest_ ? newest_->newer_ : oldest_) = &added;
  newest_ = &added;
  ++waiting_;
}

void key_order::uncount_waiting(keyed_message& gone) noexcept {
  (gone.older_ ? gone.older_->newer_ : oldest_) = gone.newer_;
  (gone.newer_ ? gone.newer_->older_ : newest_) = gone.older_;
  --waiting_;
}

// --- Messages --------------------------------------------------------------------------------

void key_order::add(keyed_ptr given) noexcept {
  keyed_message& added = *given.release();
  count_waiting(added);
  if (keyed_message* const first = first_of_key(added)) {
    first->last_->behind_ = &added;
    first->last_ = &added;
    return;
  }
  added.last_ = &added;
  insert(added);
  make_ready(added);
}

keyed_ptr key_order::take() noexcept {
  if (!first_ready_) return nullptr;
  keyed_message& first = *first_ready_;
  unmake_ready(first);
  uncount_waiting(first);
  first.in_hand_ = true;
  return keyed_ptr(&first);
}

void key_order::release(keyed_message& in_hand) noexcept {
  keyed_message* const next = in_hand.behind_;
  if (next) next->last_ = in_hand.last_;
  replace_first(in_hand, next);
  if (next) make_ready(*next);
}

keyed_ptr key_order::drop_oldest() noexcept {
  if (!oldest_) return nullptr;
  keyed_message& dropped = *oldest_;
  uncount_waiting(dropped);
  keyed_message& first = *first_of_key(dropped);
  keyed_message* const next = dropped.behind_;
  if (first.in_hand_) {
    // The oldest that waits is the oldest of its key: directly behind what is in hand.
    first.behind_ = next;
    if (!next) first.last_ = &first;
    return keyed_ptr(&dropped);
  }
  if (next) {
    // The key keeps its turn.
    next->last_ = dropped.last_;
    next->ready_before_ = dropped.ready_before_;
    next->ready_behind_ = dropped.ready_behind_;
    (next->ready_before_ ? next->ready_before_->ready_behind_ : first_ready_) = next;
    (next->ready_behind_ ? next->ready_behind_->ready_before_ : last_ready_) = next;
  } else {
    unmake_ready(dropped);
  }
  replace_first(dropped, next);
  return keyed_ptr(&dropped);
}

}  // namespace msgbus::exec
