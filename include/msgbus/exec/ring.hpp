#pragma once

/// The queue of an ordered lane: bounded, many senders, one receiver at a time, messages in place.
///
/// A ring of tickets. A sender takes the next ticket by compare-and-swap on `tail_`, puts its
/// message into the ticket's slot and publishes it by writing the ticket there; the receiver takes
/// slots in the order of tickets. So messages leave in the order in which tickets were taken, which
/// keeps any happens-before between senders (A4). The idea is that of D. Vyukov's bounded queue;
/// the argument for this one is docs/design/0006-mailbox.md.

#include <msgbus/exec/carried.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace msgbus::exec {

class ring {
 public:
  struct alignas(64) slot {
    std::atomic<std::uint64_t> published;  // the ticket plus one, once its message is there
    std::byte place[56];

    [[nodiscard]] carried* message() noexcept {
      return std::launder(reinterpret_cast<carried*>(place));
    }
  };

  /// The senders' right to one slot.
  struct claim {
    slot* at = nullptr;  // null: the ring is full
    std::uint64_t ticket = 0;
  };

  explicit ring(std::size_t capacity) noexcept;
  ~ring();
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;

  /// For any thread. What is claimed must be published, and nothing may fail in between.
  [[nodiscard]] claim try_claim();

  static void publish(const claim& claimed) noexcept {
    // Sequentially consistent: a sender that goes on to find the lane active comes before the
    // lane's last look at this slot.
    claimed.at->published.store(claimed.ticket + 1, std::memory_order_seq_cst);
  }

  /// How many messages wait.
  [[nodiscard]] std::size_t size() const noexcept;
  /// How many were ever claimed.
  [[nodiscard]] std::uint64_t claimed() const noexcept {
    return tail_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// For the receiver: whether the next message is there.
  [[nodiscard]] bool ready() const noexcept {
    slot* const slots = slots_.load(std::memory_order_acquire);
    const std::uint64_t next = head_.load(std::memory_order_relaxed);
    return slots && slots[next & mask_].published.load(std::memory_order_seq_cst) == next + 1;
  }

  /// For the receiver: the next message, which no longer counts as waiting; null if there is none.
  /// It stays in its place until `destroy`, which comes before the next `take`.
  [[nodiscard]] carried* take() noexcept {
    slot* const slots = slots_.load(std::memory_order_acquire);
    if (!slots) return nullptr;
    const std::uint64_t next = head_.load(std::memory_order_relaxed);
    slot& at = slots[next & mask_];
    // Acquire: the message.
    if (at.published.load(std::memory_order_acquire) != next + 1) return nullptr;
    // Release: the slot before this one is free for who sees that this one is taken.
    head_.store(next + 1, std::memory_order_release);
    return at.message();
  }
  static void destroy(carried& taken) noexcept { taken.~carried(); }

 private:
  static constexpr std::uint64_t ahead = 6;

  slot* allocate();

  const std::size_t capacity_;
  const std::uint64_t mask_;           // there are more slots than messages: one is being handled
  std::atomic<slot*> slots_{nullptr};  // allocated for the first message
  void* block_ = nullptr;              // what the slots are in; set before `slots_`

  alignas(64) std::atomic<std::uint64_t> tail_{0};  // the next ticket
  std::atomic<std::uint64_t> head_seen_{0};         // by senders, who seldom look at `head_`

  alignas(64) std::atomic<std::uint64_t> head_{0};  // the next ticket to take; only the receiver's
};

inline ring::claim ring::try_claim() {
  slot* slots = slots_.load(std::memory_order_acquire);
  if (!slots) [[unlikely]]
    slots = allocate();
  std::uint64_t ticket = tail_.load(std::memory_order_relaxed);
  for (;;) {
    // As signed numbers: other senders may be ahead of this ticket.
    const auto waiting = [&](std::uint64_t head) {
      return static_cast<std::int64_t>(ticket - head) < static_cast<std::int64_t>(capacity_);
    };
    if (!waiting(head_seen_.load(std::memory_order_acquire))) [[unlikely]] {
      // Acquire: what the receiver did to the slots that it is done with.
      const std::uint64_t head = head_.load(std::memory_order_seq_cst);
      head_seen_.store(head, std::memory_order_release);
      if (!waiting(head)) {
        const std::uint64_t now = tail_.load(std::memory_order_relaxed);
        if (now == ticket) return {};
        ticket = now;
        continue;
      }
    }
    if (tail_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
#if defined(__GNUC__)
      // The receiver has this line: asking for it ahead hides most of the way.
      __builtin_prefetch(&slots[(ticket + ahead) & mask_], 1);
#endif
      return {&slots[ticket & mask_], ticket};
    }
  }
}

}  // namespace msgbus::exec
