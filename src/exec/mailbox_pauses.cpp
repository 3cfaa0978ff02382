// Messages that pause beside their mailbox, and the permits of consumer loops that they wait for.
// The states are in docs/design/0024-retries-beside-the-mailbox.md.

#include <msgbus/detail/exec/mailbox_state.hpp>

namespace msgbus::exec {

void mailbox_state::begin_pause() {
  loop_permits& all = permits_.made();
  const std::lock_guard lock(mutex_);
  all.paused.fetch_add(1, std::memory_order_relaxed);
  slow_path_reasons_.fetch_or(paused_bit, std::memory_order_release);
}

void mailbox_state::end_pause() noexcept {
  const std::lock_guard lock(mutex_);
  if (permits_.get()->paused.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  slow_path_reasons_.fetch_and(~paused_bit, std::memory_order_release);
}

void mailbox_state::release_permit() noexcept {
  if (is_permit_wanted() && hand_over()) return;
  // Sequentially consistent: either this sees the wanted permit, or the coroutine that wants it
  // sees the free one.
  do {
    active_.fetch_sub(1, std::memory_order_seq_cst);
  } while (wanted_permits_.load(std::memory_order_seq_cst) != 0 && claim_loop() && !hand_over());
}

bool mailbox_state::take_permit(void* state, bool woken) {
  auto& of = *static_cast<mailbox_state*>(state);
  loop_permits& all = *of.permits_.get();
  if (woken) {
    --all.handed_over;
    return true;
  }
  // Wanted before it looks: a message that waits has seen no free permit after that.
  of.wanted_permits_.store(static_cast<std::uint32_t>(all.waiting.size() + 1),
                           std::memory_order_seq_cst);
  if (!of.claim_loop()) return false;
  of.wanted_permits_.store(static_cast<std::uint32_t>(all.waiting.size()),
                           std::memory_order_seq_cst);
  return true;
}

bool mailbox_state::hand_over() noexcept {
  loop_permits* const all = permits_.get();
  if (!all) return false;
  wake_batch woken;
  const std::lock_guard lock(all->mutex);
  const std::size_t before = all->waiting.woken();
  all->waiting.wake(1, woken);
  wanted_permits_.store(static_cast<std::uint32_t>(all->waiting.size()), std::memory_order_seq_cst);
  if (all->waiting.woken() == before) return false;
  ++all->handed_over;
  return true;
}

void mailbox_state::reclaim_permits() noexcept {
  loop_permits& all = *permits_.get();
  wake_batch woken;
  const std::lock_guard lock(all.mutex);
  while (all.handed_over > all.waiting.woken()) {
    // A message that has begun to wait meanwhile has seen this permit taken.
    const std::size_t before = all.waiting.woken();
    all.waiting.wake(1, woken);
    if (all.waiting.woken() != before) continue;
    --all.handed_over;
    active_.fetch_sub(1, std::memory_order_seq_cst);
  }
  wanted_permits_.store(static_cast<std::uint32_t>(all.waiting.size()), std::memory_order_seq_cst);
}

}  // namespace msgbus::exec
