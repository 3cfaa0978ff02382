#pragma once

/// The queue of an ordered mailbox: bounded, many senders, one receiver at a time, messages in
/// place, in linked blocks that are reused.
///
/// A sender claims a position by compare-and-swap on `tail_`, constructs its message there and
/// publishes it. The receiver takes messages in the order of positions. So messages leave in the
/// order of their claims, which preserves happens-before between senders (A4). The linked blocks,
/// and the rule for their reuse, follow the channel of tokio (`sync/mpsc/list.rs`); the argument
/// for this queue is docs/design/0015-mailbox-state-machine.md.

#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/detail/exec/send_times.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

namespace msgbus::exec {

class block_queue {
  struct block;

 public:
  /// A message occupies one unit or several, contiguous in one block. The first unit has the
  /// number; the message covers all of them. The time is between the number and the message, where
  /// alignment leaves space: so it costs a message nothing.
  struct unit {
    std::atomic<std::uint16_t> units;  // 0: nothing is published here
    std::uint16_t sent_high = 0;       // when it was sent (`sent_time`), if that is measured
    std::uint32_t sent_low = 0;
    alignas(8) std::byte storage[24];
  };
  static constexpr std::size_t unit_size = sizeof(unit);
  static constexpr std::uint32_t most_units = 4;

  /// The number of units for a message of this size; 0: it is too large, and passes by reference.
  static constexpr std::uint32_t units_for(std::size_t size, std::size_t alignment) noexcept {
    const std::size_t units = (size + offsetof(unit, storage) + unit_size - 1) / unit_size;
    return units <= most_units && alignment <= alignof(unit) ? static_cast<std::uint32_t>(units)
                                                             : 0;
  }

  /// A claimed position of a sender.
  struct claim {
    unit* at = nullptr;  // null: the queue is full
    std::uint32_t units = 0;
    std::uint32_t number = 0;  // of the message, modulo 2^32

    [[nodiscard]] void* storage() const noexcept { return at->storage; }
    void set_time(sent_time sent) const noexcept {
      at->sent_high = static_cast<std::uint16_t>(sent >> 32U);
      at->sent_low = static_cast<std::uint32_t>(sent);
    }
  };

  explicit block_queue(std::size_t capacity) noexcept;
  ~block_queue();
  block_queue(const block_queue&) = delete;
  block_queue& operator=(const block_queue&) = delete;

  /// For any thread. A claim must be published, and nothing may fail in between. May throw
  /// `bad_alloc`; then nothing is claimed.
  [[nodiscard]] claim try_claim(std::uint32_t units);

  static void publish(const claim& claimed) noexcept {
    claimed.at->units.store(static_cast<std::uint16_t>(claimed.units), std::memory_order_release);
  }

  /// The number of waiting messages, with claimed ones.
  [[nodiscard]] std::size_t size() const noexcept;
  /// The number of claims so far.
  [[nodiscard]] std::uint64_t claimed() const noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  // For the receiver:

  /// Whether every claimed message was taken. Sequentially consistent with claims.
  [[nodiscard]] bool empty() const noexcept {
    return tail_.load(std::memory_order_seq_cst).messages ==
           static_cast<std::uint32_t>(taken_.load(std::memory_order_relaxed));
  }

  /// Shows senders all freed space. `take` does so after every few messages, because a sender that
  /// finds no space takes the cache line from the receiver. Call it before waking senders, and
  /// before long work.
  void show_space() noexcept {
    // Release: the taken messages are destroyed.
    shown_.store(static_cast<std::uint32_t>(taken_.load(std::memory_order_relaxed)),
                 std::memory_order_release);
  }

  /// The next message, which no longer counts as waiting; null if none is published. It stays in
  /// place until `done`, which precedes the next `take`.
  [[nodiscard]] queued_message* take() noexcept;
  /// Destroys the message that was taken.
  void done() noexcept;
  /// When the message that was taken was sent; 0: it is not measured.
  [[nodiscard]] sent_time sent_in_hand() const noexcept {
    const unit& at = head_->units[offset_];
    return (sent_time{at.sent_high} << 32U) | at.sent_low;
  }

  /// Frees unused blocks except one. For a receiver that found no message.
  void shrink() noexcept;

 private:
  // Both count modulo 2^32, and change together.
  struct tail {
    std::uint32_t messages;  // how many were claimed
    std::uint32_t position;  // of the next unit that can be claimed
  };

  static constexpr std::uint32_t block_units = 16;
  static constexpr std::uint16_t rest_unused = 0xffff;  // the message went into the next block

  struct block {
    std::atomic<block*> next{nullptr};
    std::uint32_t start = 0;        // the position of its first unit
    std::uint32_t left_at = 0;      // a position; fixed once `left` is set
    std::atomic<bool> left{false};  // a sender that claims from now on does not look here
    std::array<unit, block_units> units{};

    [[nodiscard]] bool is_published() const noexcept;
  };

  [[nodiscard]] bool is_full(const tail& now) noexcept;
  void link_until(std::uint32_t position);
  [[nodiscard]] block* spare_block();
  void leave_full_blocks() noexcept;
  void reclaim() noexcept;
  static void delete_all(block* first) noexcept;

  // The members that senders write, those that the receiver writes, and `shown_` are a cache line
  // apart. Rarely used members lie between, instead of padding: programs have many mailboxes.
  static constexpr std::size_t line = 64;

  // For senders. `tail_block_` is a block at or before that of every claim that is not published.
  std::atomic<tail> tail_{tail{0, 0}};
  std::atomic<std::uint32_t> linked_{0};      // there is memory for positions before this one
  std::atomic<std::uint32_t> taken_seen_{0};  // the last value of `shown_` that senders saw
  std::atomic<block*> tail_block_{nullptr};
  const std::uint32_t capacity_;

  std::mutex linking_;
  block* last_ = nullptr;    // of the chain; under the lock, as is the next
  block* spares_ = nullptr;  // to be linked again

  // Read by senders that need space, and written by the receiver.
  std::atomic<std::uint32_t> shown_{0};  // an earlier value of `taken_`

  [[maybe_unused]] std::byte apart_[line - sizeof(shown_)];

  // For the receiver.
  std::atomic<std::uint64_t> taken_{0};  // how many messages
  block* head_ = nullptr;                // where the next message is
  std::uint32_t offset_ = 0;
  std::uint32_t in_hand_ = 0;    // units of the message that was taken
  const std::uint32_t unshown_;  // so many messages may be taken before senders see it
  block* oldest_ = nullptr;      // of the blocks that senders may still look at
  std::atomic<block*> first_{nullptr};
  std::atomic<block*> returned_{nullptr};  // blocks without readers
};

inline bool block_queue::is_full(const tail& now) noexcept {
  // The difference as a signed number: other senders may be ahead of `now`.
  const auto is_beyond = [&](std::uint32_t taken) {
    return static_cast<std::int32_t>(now.messages - taken) >= static_cast<std::int32_t>(capacity_);
  };
  if (!is_beyond(taken_seen_.load(std::memory_order_relaxed))) [[likely]]
    return false;
  const std::uint32_t shown = shown_.load(std::memory_order_acquire);
  taken_seen_.store(shown, std::memory_order_relaxed);
  return is_beyond(shown);
}

inline block_queue::claim block_queue::try_claim(std::uint32_t units) {
  tail now = tail_.load(std::memory_order_relaxed);
  for (;;) {
    if (is_full(now)) [[unlikely]] {
      const tail again = tail_.load(std::memory_order_relaxed);
      if (again.messages == now.messages) return {};
      now = again;
      continue;
    }
    const std::uint32_t offset = now.position % block_units;
    const bool fits = offset + units <= block_units;
    const std::uint32_t at = fits ? now.position : now.position - offset + block_units;
    // Acquire: the blocks that were linked.
    if (static_cast<std::int32_t>(linked_.load(std::memory_order_acquire) - (at + units)) < 0)
        [[unlikely]] {
      link_until(at + units);
      now = tail_.load(std::memory_order_relaxed);
      continue;
    }
    // Sequentially consistent: a sender that then finds a consumer loop active comes before the
    // loop's last read of `tail_`. And it begins at a block that was not left before the claim.
    if (!tail_.compare_exchange_weak(now, tail{now.messages + 1, at + units},
                                     std::memory_order_seq_cst, std::memory_order_relaxed)) {
      continue;
    }
    block* in = tail_block_.load(std::memory_order_seq_cst);
    while (now.position - in->start >= block_units) in = in->next.load(std::memory_order_acquire);
    if (!fits) {
      in->units[offset].units.store(rest_unused, std::memory_order_release);
      in = in->next.load(std::memory_order_acquire);
    }
    return {&in->units[at % block_units], units, now.messages};
  }
}

inline queued_message* block_queue::take() noexcept {
  for (;;) {
    if (!head_) [[unlikely]] {
      head_ = oldest_ = first_.load(std::memory_order_acquire);
      if (!head_) return nullptr;
    }
    if (offset_ == block_units) {
      block* const next = head_->next.load(std::memory_order_acquire);
      if (!next) return nullptr;
      head_ = next;
      offset_ = 0;
      reclaim();
    }
    // Acquire: the message.
    in_hand_ = head_->units[offset_].units.load(std::memory_order_acquire);
    if (in_hand_ == 0) return nullptr;
    if (in_hand_ == rest_unused) {
      offset_ = block_units;
      continue;
    }
    const std::uint64_t taken = taken_.load(std::memory_order_relaxed) + 1;
    taken_.store(taken, std::memory_order_release);
    if (static_cast<std::uint32_t>(taken) - shown_.load(std::memory_order_relaxed) >= unshown_) {
      show_space();
    }
    return std::launder(reinterpret_cast<queued_message*>(head_->units[offset_].storage));
  }
}

inline void block_queue::done() noexcept {
  std::launder(reinterpret_cast<queued_message*>(head_->units[offset_].storage))->~queued_message();
  offset_ += in_hand_;
}

}  // namespace msgbus::exec
