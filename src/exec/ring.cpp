#include <msgbus/exec/ring.hpp>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <mutex>

namespace msgbus::exec {

namespace {

std::mutex& allocating() {
  static std::mutex mutex;
  return mutex;
}

// No memory holds so many slots; beyond it tickets could not be compared as signed numbers.
constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4;

}  // namespace

ring::ring(std::size_t capacity) noexcept
    : capacity_(std::clamp<std::size_t>(capacity, 1, most)),
      mask_(std::bit_ceil(capacity_ + 1) - 1) {}

ring::~ring() {
  while (carried* const each = take()) destroy(*each);
  std::free(block_);
}

ring::slot* ring::allocate() {
  const std::lock_guard lock(allocating());
  if (slot* const there = slots_.load(std::memory_order_relaxed)) return there;
  if (mask_ >= std::numeric_limits<std::size_t>::max() / sizeof(slot) - 1) throw std::bad_alloc();
  // Zeroed by the system where it can be: slots that are never used cost no memory.
  const std::size_t bytes = (mask_ + 1) * sizeof(slot);
  block_ = std::calloc(1, bytes + alignof(slot));
  if (!block_) throw std::bad_alloc();
  void* aligned = block_;
  std::size_t space = bytes + alignof(slot);
  std::align(alignof(slot), bytes, aligned, space);
  slot* const slots = static_cast<slot*>(aligned);
  slots_.store(slots, std::memory_order_release);
  return slots;
}

std::size_t ring::size() const noexcept {
  // In this order: what is taken was claimed before.
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  // Looked at in two moments: the difference may be more than ever waited.
  return std::min(static_cast<std::size_t>(tail - head), capacity_);
}

}  // namespace msgbus::exec
