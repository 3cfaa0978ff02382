#include <msgbus/detail/exec/mailbox_state.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::exec {

mailbox_state::mailbox_state(const mailbox_options& options)
    : capacity_(std::max<std::size_t>(options.capacity, 1)),
      on_full_(options.on_full),
      loops_(static_cast<unsigned>(std::clamp<std::size_t>(options.concurrency, 1, 1 << 16))),
      references_(make_reference_queue(options)),
      slow_path_reasons_(references_ ? references_bit : 0),
      queue_(options.capacity) {}

// --- Senders ---------------------------------------------------------------------------------

put mailbox_state::try_put(send_operation& out, shared_message& displaced) {
  if (refuses(out)) return put::closed;
  prepare(out);
  if (needs_lock()) return try_put_locked(out, displaced);
  return enqueue(out, displaced) ? put::taken : when_full();
}

put mailbox_state::try_put_locked(send_operation& out, shared_message& displaced) {
  const std::lock_guard lock(mutex_);
  // Each waiting sender has a claim to one place.
  const std::size_t listed = senders_.size() + senders_.woken();
  count_senders(listed, senders_.size());
  const bool displaces = on_full_ == overflow::drop_oldest;
  return (displaces || space() > listed) && enqueue(out, displaced) ? put::taken : when_full();
}

std::size_t mailbox_state::space() const noexcept {
  const std::size_t used = size() + paused();
  return used < capacity_ ? capacity_ - used : 0;
}

// A cancelled sender leaves the list without a call of this function. The counts are then too large
// until the next call, which is harmless: a look too many finds no sender.
void mailbox_state::count_senders(std::size_t listed, std::size_t sleeping) noexcept {
  const std::uint32_t kept = slow_path_reasons_.load(std::memory_order_relaxed) & flag_bits;
  const auto many = static_cast<std::uint32_t>(std::min<std::size_t>(listed, most_counted));
  slow_path_reasons_.store(kept | many, std::memory_order_relaxed);
  sleeping_.store(static_cast<std::uint32_t>(std::min<std::size_t>(sleeping, most_counted)),
                  std::memory_order_relaxed);
}

bool mailbox_state::attempt(waiting_put& sender, bool was_woken) {
  const std::size_t others = senders_.size() + senders_.woken() - (was_woken ? 1 : 0);
  // Counted before it checks the space: a sleeping sender has found none after it was counted.
  count_senders(others + 1, senders_.size() + 1);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see `has_waiting`
  shared_message none;                                  // a mailbox that displaces is never full
  std::unique_lock<std::mutex> sole;
  if (sender.among) sole = std::unique_lock(sender.among->mutex);
  if (sender.among && sender.among->is_taken) {
    sender.result = put::full;  // another mailbox has it, and this place is for the next
  } else if (refuses(sender.out)) {
    sender.result = put::closed;
  } else if (space() > (was_woken ? 0 : others) && enqueue(sender.out, none)) {
    sender.result = put::taken;
    if (sender.among) sender.among->is_taken = true;
  } else {
    return false;
  }
  count_senders(others, senders_.size());
  return true;
}

// Called by a loop, or after a loop has published its space. A later call covers space that was not
// yet published.
void mailbox_state::notify_space_locked(wake_batch& woken) noexcept {
  const std::size_t places = is_closed() ? wait_list::all : space();
  // Each woken sender that has not resumed yet has a claim to one place.
  if (places > senders_.woken()) senders_.wake(places - senders_.woken(), woken);
  count_senders(senders_.size() + senders_.woken(), senders_.size());
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
  using storage = message_in_hand::storage;
  static_assert(sizeof(storage) <= block_bytes);
  if (!next.reference_) next.reference_ = std::make_unique<storage>();
  shared_message found = references_->pop(next.key_);
  if (!found) return false;
  next.message_ = &next.reference_->message.emplace(std::move(found));
  return true;
}

void mailbox_state::done_with_reference(message_in_hand& message) noexcept {
  message.reference_->message.reset();
  // After that the next message of its key is handled: this one has gone before.
  if (message.key_) references_->release(std::move(message.key_));
}

bool mailbox_state::end_loop() noexcept {
  if (!references_) queue_.shrink();
  // Sequentially consistent, as is `is_empty`: see `wants_loop`.
  active_.fetch_sub(1, std::memory_order_seq_cst);
  const bool is_needed = !is_empty() || wanted_permits_.load(std::memory_order_seq_cst) != 0;
  if (!is_needed || !claim_loop()) return true;
  return is_permit_wanted() && hand_over();
}

void mailbox_state::notify_space() noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  notify_space_locked(woken);
}

// --- The end ---------------------------------------------------------------------------------

void mailbox_state::refuse(std::uint32_t bit) noexcept {
  wake_batch woken;
  const std::lock_guard lock(mutex_);
  slow_path_reasons_.fetch_or(bit, std::memory_order_release);
  // All of them look: those that are refused leave, and a scheduled one waits again at its place.
  senders_.wake(wait_list::all, woken);
  notify_space_locked(woken);
}

void mailbox_state::discard() noexcept { refuse(discard_bit | closed_bit); }

}  // namespace msgbus::exec
