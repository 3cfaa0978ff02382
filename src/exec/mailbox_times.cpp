// The times at which the messages of a mailbox were sent. docs/design/0031-times.md

#include <msgbus/detail/exec/mailbox_state.hpp>

namespace msgbus::exec {

void mailbox_state::time_sends(std::uint32_t sample) {
  loop_permits& all = permits_.made();
  const std::lock_guard lock(mutex_);
  if (sample == 0) {
    slow_path_reasons_.fetch_and(~timed_bit, std::memory_order_release);
    return;
  }
  if (!all.times) all.times = std::make_unique<send_times>(capacity_);
  all.times->set_sample(sample);
  // Release: the object. It stays as long as the mailbox.
  slow_path_reasons_.fetch_or(timed_bit, std::memory_order_release);
}

inline bool mailbox_state::enqueue_in_order(send_operation& out, send_times& times,
                                            sent_time sent) {
  const block_queue::claim claimed = queue_.try_claim(out.units());
  if (!claimed.at) return false;
  out.put(claimed.storage());
  if (sent != 0) {
    claimed.set_time(sent);
    times.note(claimed.number, sent);
  }
  block_queue::publish(claimed);
  return true;
}

put mailbox_state::put_timed_in_order(send_operation& out) {
  out.prepare(true);
  send_times& times = *permits_.get()->times;
  return enqueue_in_order(out, times, times.take()) ? put::taken : when_full();
}

bool mailbox_state::enqueue_timed(send_operation& out, shared_message& displaced) {
  send_times& times = *permits_.get()->times;
  const sent_time sent = times.take();
  if (!references_) return enqueue_in_order(out, times, sent);
  if (sent == 0) return references_->try_push(out.shared(), out.key(), displaced, paused());
  const shared_message untimed = out.shared();
  out.shared() = std::make_shared<queued_timed_message>(untimed, sent);
  if (!references_->try_push(out.shared(), out.key(), displaced, paused())) {
    out.shared() = untimed;
    return false;
  }
  times.note(static_cast<std::uint32_t>(references_->accepted() - 1), sent);
  return true;
}

void mailbox_state::trace_sends(bool wanted, std::uint64_t bound) {
  permits_.made().trace_bound.store(bound, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (wanted) {
    slow_path_reasons_.fetch_or(traced_bit, std::memory_order_release);
  } else {
    slow_path_reasons_.fetch_and(~traced_bit, std::memory_order_release);
  }
}

std::optional<sent_time> mailbox_state::oldest_sent() const noexcept {
  const loop_permits* const all = permits_.get();
  if (!is_timed() || !all) return std::nullopt;
  const std::size_t waiting = size();
  const std::uint64_t next = accepted() - waiting;
  if (waiting == 0) return std::nullopt;
  return all->times->first_of(static_cast<std::uint32_t>(next), waiting);
}

}  // namespace msgbus::exec
