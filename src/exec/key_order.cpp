#include <msgbus/detail/exec/key_order.hpp>

namespace msgbus::exec {

keyed_message::~keyed_message() = default;

key_order::~key_order() {
  while (oldest_) {
    const keyed_ptr gone(oldest_);
    oldest_ = oldest_->newer_;
  }
}

void key_order::replace_first(keyed_message& first, keyed_message* by) noexcept {
  by ? table_.replace(first, *by) : table_.erase(first);
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
  table_.insert(added);
  make_ready(added);
}

keyed_ptr key_order::take() noexcept {
  if (!first_ready_) return nullptr;
  keyed_message& first = *first_ready_;
  unmake_ready(first);
  uncount_waiting(first);
  if (first_ready_) table_.prefetch(*first_ready_);  // it is released soon
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
    // The oldest waiting message is the oldest of its key: directly behind the message in hand.
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
