#include <msgbus/detail/exec/block_queue.hpp>

#include <algorithm>
#include <memory>

namespace msgbus::exec {

namespace {

// With more, counts could not be compared as signed numbers. No memory holds so many messages.
constexpr std::size_t most_messages = std::size_t{1} << 30;

}  // namespace

block_queue::block_queue(std::size_t capacity) noexcept
    : capacity_(static_cast<std::uint32_t>(std::clamp<std::size_t>(capacity, 1, most_messages))),
      unshown_(std::clamp<std::uint32_t>(capacity_ / 64, 1, 16)) {
  // These are aligned to their size, so none spans two cache lines.
  static_assert(offsetof(block_queue, shown_) >= offsetof(block_queue, tail_block_) + line);
  static_assert(offsetof(block_queue, taken_) >= offsetof(block_queue, shown_) + line);
}

block_queue::~block_queue() {
  while (take()) done();
  block* const rest = oldest_ ? oldest_ : first_.load(std::memory_order_relaxed);
  delete_all(rest);
  delete_all(spares_);
  delete_all(returned_.load(std::memory_order_acquire));
}

void block_queue::delete_all(block* first) noexcept {
  while (first) {
    const std::unique_ptr<block> gone(first);
    first = gone->next.load(std::memory_order_relaxed);
  }
}

std::size_t block_queue::size() const noexcept {
  // In this order: a message is claimed before it is taken.
  const auto taken = static_cast<std::uint32_t>(taken_.load(std::memory_order_acquire));
  const std::uint32_t claimed = tail_.load(std::memory_order_acquire).messages;
  // The two are read one after the other, so the difference may exceed the number of messages.
  return std::min(claimed - taken, capacity_);
}

std::uint64_t block_queue::claimed() const noexcept {
  const std::uint64_t taken = taken_.load(std::memory_order_acquire);
  const std::uint32_t claimed = tail_.load(std::memory_order_acquire).messages;
  return taken + (claimed - static_cast<std::uint32_t>(taken));
}

// --- Senders ---------------------------------------------------------------------------------

bool block_queue::block::is_published() const noexcept {
  for (std::uint32_t at = 0; at < block_units;) {
    const std::uint32_t there = units[at].units.load(std::memory_order_acquire);
    if (there == 0) return false;
    if (there == rest_unused) return true;
    at += there;
  }
  return true;
}

block_queue::block* block_queue::spare_block() {
  if (!spares_) spares_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (!spares_) return new block;
  block* const found = spares_;
  spares_ = found->next.load(std::memory_order_relaxed);
  found->next.store(nullptr, std::memory_order_relaxed);
  found->left.store(false, std::memory_order_relaxed);
  for (unit& each : found->units) ::new (&each) unit;  // messages have overwritten them
  return found;
}

void block_queue::link_until(std::uint32_t position) {
  const std::lock_guard lock(linking_);
  std::uint32_t linked = linked_.load(std::memory_order_relaxed);
  while (static_cast<std::int32_t>(linked - position) < 0) {
    block* const added = spare_block();
    added->start = linked;
    if (last_) {
      last_->next.store(added, std::memory_order_release);
    } else {
      tail_block_.store(added, std::memory_order_release);
      first_.store(added, std::memory_order_release);
    }
    last_ = added;
    linked += block_units;
    linked_.store(linked, std::memory_order_release);
  }
  leave_full_blocks();
}

void block_queue::leave_full_blocks() noexcept {
  for (;;) {
    block* const now = tail_block_.load(std::memory_order_relaxed);
    block* const next = now->next.load(std::memory_order_relaxed);
    if (!next || !now->is_published()) return;
    // Sequentially consistent, as are a sender's claim and its load of `tail_block_`: a sender that
    // has found the old block has claimed a position before `left_at`.
    tail_block_.store(next, std::memory_order_seq_cst);
    now->left_at = tail_.load(std::memory_order_seq_cst).position;
    now->left.store(true, std::memory_order_release);
  }
}

// --- The receiver ----------------------------------------------------------------------------

void block_queue::reclaim() noexcept {
  if (oldest_ == head_) return;
  const std::uint32_t position = head_->start + offset_;
  while (oldest_ != head_ && oldest_->left.load(std::memory_order_acquire) &&
         static_cast<std::int32_t>(position - oldest_->left_at) >= 0) {
    // Every sender that could access this block has published its message since.
    block* const next = oldest_->next.load(std::memory_order_relaxed);
    block* top = returned_.load(std::memory_order_relaxed);
    do {
      oldest_->next.store(top, std::memory_order_relaxed);
    } while (!returned_.compare_exchange_weak(top, oldest_, std::memory_order_release,
                                              std::memory_order_relaxed));
    oldest_ = next;
  }
}

void block_queue::shrink() noexcept {
  if (!head_) return;
  reclaim();
  if (!returned_.load(std::memory_order_relaxed)) return;
  delete_all(returned_.exchange(nullptr, std::memory_order_acquire));
  if (linking_.try_lock()) {
    block* const unused = std::exchange(spares_, nullptr);
    linking_.unlock();
    delete_all(unused);
  }
}

}  // namespace msgbus::exec
