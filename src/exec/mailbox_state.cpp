#include <msgbus/exec/mailbox_state.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::exec {

mailbox_state::mailbox_state(const mailbox_options& options)
    : capacity_(std::max<std::size_t>(options.capacity, 1)),
      on_full_(options.on_full),
      loops_(static_cast<unsigned>(std::clamp<std::size_t>(options.concurrency, 1, 1 << 16))),
      boxes_(make_box_queue(options)),
      hindrances_(boxes_ ? boxes_bit : 0),
      queue_(options.capacity) {}

// --- Senders ---------------------------------------------------------------------------------

put mailbox_state::try_put(outgoing& out, shared_message& displaced) {
  if (is_closed()) return put::closed;
  out.prepare(!boxes_);
  if (listed() != 0) return try_put_behind(out, displaced);
  return enqueue(out, displaced) ? put::taken : when_full();
}

put mailbox_state::try_put_behind(outgoing& out, shared_message& displaced) {
  const std::lock_guard lock(mutex_);
  // Those who wait are entitled to a place each.
  const bool has_room = space() > listed();
  return has_room && enqueue(out, displaced) ? put::taken : when_full();
}

std::size_t mailbox_state::space() const noexcept {
  const std::size_t used = size();
  return used < capacity_ ? capacity_ - used : 0;
}

// To be followed by an attempt: a sender that sleeps has seen no room after it was marked.
void mailbox_state::mark_waiting(waiting_sender& sender) noexcept {
  if (sender.marked_) return;
  sender.marked_ = true;
  unnotified_.fetch_add(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see `has_sleepers`
}

void mailbox_state::unmark(waiting_sender& sender) noexcept {
  if (!sender.marked_) return;
  sender.marked_ = false;
  unnotified_.fetch_sub(1, std::memory_order_relaxed);
}

void mailbox_state::join(waiting_sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  sender.previous_ = last_;
  (last_ ? last_->next_ : first_) = &sender;
  last_ = &sender;
  hindrances_.fetch_add(1, std::memory_order_relaxed);
  mark_waiting(sender);
}

void mailbox_state::leave(waiting_sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  (sender.previous_ ? sender.previous_->next_ : first_) = sender.next_;
  (sender.next_ ? sender.next_->previous_ : last_) = sender.previous_;
  hindrances_.fetch_sub(1, std::memory_order_relaxed);
  unmark(sender);
  notify_space_locked();
}

bool mailbox_state::has_place(const waiting_sender& sender) const noexcept {
  // One place each in the order of coming. To ask for room for all would be wrong: when several
  // have just come and none has attempted yet, nobody would wake any of them.
  std::size_t places = space();
  for (const waiting_sender* each = first_; each && places != 0; each = each->next_, --places) {
    if (each == &sender) return true;
  }
  return false;
}

std::optional<put> mailbox_state::attempt(waiting_sender& sender, outgoing& out,
                                          shared_message& displaced) {
  const std::lock_guard lock(mutex_);
  sender.can_wake_ = false;
  mark_waiting(sender);
  if (is_closed()) return put::closed;
  if (has_place(sender) && enqueue(out, displaced)) return put::taken;
  sender.prepare_to_sleep();
  sender.can_wake_ = true;
  return std::nullopt;
}

void mailbox_state::notify_space_locked() noexcept {
  std::size_t places = is_closed() ? listed() : space();
  waiting_sender* each = first_;
  while (each && places != 0) {
    waiting_sender& one = *std::exchange(each, each->next_);
    --places;
    if (!one.can_wake_) continue;
    unmark(one);
    one.can_wake_ = false;
    one.wake();
  }
}

// --- Consumer loops --------------------------------------------------------------------------

bool mailbox_state::claim_loop() noexcept {
  unsigned active = active_.load(std::memory_order_seq_cst);
  do {
    if (active >= loops_) return false;
  } while (!active_.compare_exchange_weak(active, active + 1, std::memory_order_seq_cst));
  return true;
}

bool mailbox_state::take_reference(message_in_hand& next) {
  if (!next.reference_) next.reference_ = std::make_unique<std::optional<carried_reference>>();
  shared_message found = boxes_->pop();
  if (!found) return false;
  next.message_ = &next.reference_->emplace(std::move(found));
  return true;
}

bool mailbox_state::end_loop() noexcept {
  if (!boxes_) queue_.shrink();
  // Sequentially consistent, as is `is_empty`: see `wants_loop`.
  active_.fetch_sub(1, std::memory_order_seq_cst);
  return is_empty() || !claim_loop();
}

void mailbox_state::notify_space() noexcept {
  const std::lock_guard lock(mutex_);
  notify_space_locked();
}

// --- The end ---------------------------------------------------------------------------------

void mailbox_state::close() noexcept {
  const std::lock_guard lock(mutex_);
  hindrances_.fetch_or(closed_bit, std::memory_order_release);
  notify_space_locked();
}

void mailbox_state::discard() noexcept {
  discarding_.store(true, std::memory_order_release);
  close();
}

}  // namespace msgbus::exec
