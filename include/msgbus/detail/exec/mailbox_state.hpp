#pragma once

/// The state machine of a mailbox: admitted messages, waiting senders, the number of consumer
/// loops. It knows no executor, no thread and no coroutine. It decides; `mailbox` acts.
///
/// tests/models/mailbox.pml is a model of this machine, checked for every interleaving. The states
/// are in docs/design/0015-mailbox-state-machine.md.

#include <msgbus/detail/core/on_demand.hpp>
#include <msgbus/detail/exec/block_queue.hpp>
#include <msgbus/detail/exec/key_order.hpp>
#include <msgbus/detail/exec/key_rules.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/detail/exec/reference_queue.hpp>
#include <msgbus/detail/exec/send_operation.hpp>
#include <msgbus/detail/exec/send_times.hpp>
#include <msgbus/detail/exec/wait_list.hpp>
#include <msgbus/detail/observe/duration_histogram.hpp>
#include <msgbus/options.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::exec {

/// The outcome of an attempt to add a message.
enum class put { taken, dropped, full, closed };

/// The current message of a consumer loop.
class message_in_hand {
 public:
  message_in_hand() = default;
  message_in_hand(message_in_hand&& other) noexcept
      : message_(std::exchange(other.message_, nullptr)),
        reference_(std::move(other.reference_)),
        key_(std::move(other.key_)) {}
  message_in_hand& operator=(message_in_hand&&) = delete;

  [[nodiscard]] queued_message* get() const noexcept { return message_; }
  explicit operator bool() const noexcept { return message_ != nullptr; }
  [[nodiscard]] bool has_key() const noexcept { return key_ != nullptr; }
  /// The exception of its key function; null: none.
  [[nodiscard]] const std::exception_ptr* key_failure() const noexcept {
    return key_ && key_->failure ? &key_->failure : nullptr;
  }

 private:
  friend class mailbox_state;
  queued_message* message_ = nullptr;
  // The storage of a message that came by reference. Runs refer to it while this object is moved.
  struct storage {
    std::optional<queued_reference> message;
    static void* operator new(std::size_t) { return take_block(); }
    static void operator delete(void* block) noexcept { give_back_block(block); }
  };
  std::unique_ptr<storage> reference_;
  keyed_ptr key_;  // busy until the message is done; null: the message has none
};

struct waiting_put;

/// A message that is offered to several mailboxes and goes into one. Under its lock, which is taken
/// inside that of a mailbox.
struct shared_send {
  std::mutex mutex;
  bool is_taken = false;
};

class mailbox_state {
 public:
  explicit mailbox_state(const mailbox_options& options);

  // --- Senders; for any thread.

  /// Adds a message if there is space and no sender waits. `out` is used up only if it is accepted.
  /// `displaced` receives a message that `overflow::drop_oldest` discards. After `taken`, start a
  /// loop if it `wants_loop`.
  put try_put(send_operation& out, shared_message& displaced);

  /// The first step of `try_put`; afterwards the message can wait. Under a guard of the component.
  void prepare(send_operation& out) {
    out.prepare(!references_);
    if (references_) references_->prepare_key(out.shared(), out.key());
  }

  /// Whether `put_in_order` does all that `try_put` would. It may change at any time; a message
  /// that is added meanwhile precedes the change.
  [[nodiscard]] bool has_fast_path() const noexcept {
    return slow_path_reasons_.load(std::memory_order_acquire) == 0;
  }
  put put_in_order(send_operation& out) {
    out.prepare(true);
    return enqueue_in_order(out) ? put::taken : when_full();
  }

  /// The waiting senders, in order of arrival. Each attempts a `waiting_put`.
  [[nodiscard]] wait_list& senders() noexcept { return senders_; }

  // --- Consumer loops.

  /// Whether one loop at a time handles the messages, in the order of the queue.
  [[nodiscard]] bool is_ordered_by_one_loop() const noexcept { return loops_ == 1 && !references_; }
  /// After a message was added: whether one more loop may be started for it.
  [[nodiscard]] bool wants_loop() const noexcept {
    // Sequentially consistent, as is the preceding claim of a position. Either a loop that is about
    // to end sees the claim, or the end of the loop is seen here.
    if (active_.load(std::memory_order_seq_cst) >= loops_) return false;
    return !references_ || references_->ready();  // behind a busy key it needs none
  }
  /// Claims a permit, the right to be one of the `concurrency` loops. The caller starts the loop.
  [[nodiscard]] bool claim_loop() noexcept;

  /// The next message, which no longer counts as waiting. False if there is none.
  [[nodiscard]] bool take(message_in_hand& next) {
    if (references_) [[unlikely]]
      return take_reference(next);
    next.message_ = queue_.take();
    return next.message_ != nullptr;
  }
  /// Destroys the current message.
  void done(message_in_hand& message) noexcept {
    message.message_ = nullptr;
    if (references_) [[unlikely]]
      return done_with_reference(message);
    queue_.done();
  }

  /// Ends the loop: true. False if a message is present, or about to arrive: the loop continues.
  [[nodiscard]] bool end_loop() noexcept;
  /// Ends a loop that was destroyed.
  void lose_loop() noexcept { active_.fetch_sub(1, std::memory_order_seq_cst); }
  [[nodiscard]] bool has_loops() const noexcept {
    return active_.load(std::memory_order_seq_cst) != 0;
  }

  /// Whether a sender waits that was not woken. With `surely`, all freed space is shown first, and
  /// a sender that was not seen makes an attempt after this call. Without, a sender that has just
  /// begun to wait may be missed.
  [[nodiscard]] bool has_waiting(bool surely) noexcept {
    // A relaxed load may miss a sender that has just begun to wait; the next call sees it. Before a
    // pause without calls, this call has a fence. Either it comes after the sender's own fence, and
    // sees the sender, or the sender's next attempt sees the space.
    if (surely) {
      show_space();
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    return sleeping_.load(std::memory_order_relaxed) != 0;
  }
  /// Shows senders all freed space.
  void show_space() noexcept {
    if (!references_) queue_.show_space();
  }
  /// How many senders wait, or were woken, or more.
  [[nodiscard]] std::size_t counted_senders() const noexcept {
    return slow_path_reasons_.load(std::memory_order_relaxed) & ~flag_bits;
  }
  /// Wakes as many senders as there is space for.
  void notify_space() noexcept;
  /// Whether a message waits, or is about to arrive.
  [[nodiscard]] bool has_messages() const noexcept { return !is_empty(); }

  // --- Messages that pause between two attempts, beside the queue and without a loop's permit.
  // docs/design/0024-retries-beside-the-mailbox.md

  /// The message in hand pauses: it is counted in the capacity. May throw `bad_alloc` before that.
  void begin_pause();
  void end_pause() noexcept;
  [[nodiscard]] std::size_t paused() const noexcept {
    if ((slow_path_reasons_.load(std::memory_order_relaxed) & paused_bit) == 0) return 0;
    const loop_permits* const made = permits_.get();
    return made ? made->paused.load(std::memory_order_relaxed) : 0;
  }

  /// Frees a loop's permit, for a message that waits for one, or for a new loop. The caller starts
  /// that loop if the state `has_messages` and `wants_loop`.
  void release_permit() noexcept;
  /// The messages whose pause is over, in that order. Each attempts with `take_permit`.
  [[nodiscard]] wait_list& permit_waiters() noexcept { return permits_.get()->waiting; }
  static bool take_permit(void* state, bool woken);
  /// After a wait was given up: a permit that nobody took is free for others.
  void reclaim_permits() noexcept;
  /// Whether a message may wait for a permit. A loop then calls `hand_over`: true if another one
  /// has its permit now.
  [[nodiscard]] bool is_permit_wanted() const noexcept {
    return wanted_permits_.load(std::memory_order_relaxed) != 0;
  }
  [[nodiscard]] bool hand_over() noexcept;
  /// Whether there is enough space to make waking worthwhile, though more will follow.
  [[nodiscard]] bool has_much_space() const noexcept { return space() >= capacity_ / 4; }

  /// The lock of rarely changed state: waiting senders, closed.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

  /// The order of messages by key, where several loops run; see `key_rules`. One loop keeps the
  /// order of all messages: with a rule it does so also where a retry may give up its permit.
  void order_by(const routing::domain& guarded, std::shared_ptr<const key_rule> rule) {
    if (loops_ == 1) permits_.made().keeps_order.store(true, std::memory_order_release);
    if (references_) references_->order_by(guarded, std::move(rule));
  }
  /// Whether the only loop keeps the order of messages, whatever their handlers ask for.
  [[nodiscard]] bool keeps_order() const noexcept {
    const loop_permits* const made = permits_.get();
    return made && made->keeps_order.load(std::memory_order_acquire);
  }
  void forget_rules(const routing::domain& guarded) noexcept {
    if (references_) references_->forget_rules(guarded);
  }

  // --- The times of messages, for metrics (docs/design/0031-times.md).

  /// From now on, records the time of one message in `sample`; 0: of none.
  void time_sends(std::uint32_t sample);
  /// Whether the times are the only obstacle to `put_in_order`; `put_timed_in_order` does the same
  /// with them.
  [[nodiscard]] bool is_only_timed() const noexcept {
    return slow_path_reasons_.load(std::memory_order_acquire) == timed_bit;
  }
  put put_timed_in_order(send_operation& out);
  /// When the message in hand was sent; 0: not measured.
  [[nodiscard]] sent_time sent_in_hand(const queued_message& in_hand) const noexcept {
    return references_ ? in_hand.sent() : queue_.sent_in_hand();
  }
  [[nodiscard]] sent_time sent_in_hand() const noexcept {
    return references_ ? 0 : queue_.sent_in_hand();
  }
  [[nodiscard]] bool keeps_references() const noexcept { return references_ != nullptr; }
  /// When the longest waiting message was sent, as far as it is known; empty if none waits.
  [[nodiscard]] std::optional<sent_time> oldest_sent() const noexcept;

  /// Whether spans are made of the messages that are sent (docs/design/0033-spans.md). `bound` is
  /// that of the sampler for new traces (`sampler::samples_root`).
  void trace_sends(bool wanted, std::uint64_t bound);
  [[nodiscard]] bool is_traced() const noexcept {
    return (slow_path_reasons_.load(std::memory_order_relaxed) & traced_bit) != 0;
  }
  /// Whether tracing is the only obstacle to `put_in_order`.
  [[nodiscard]] bool is_only_traced() const noexcept {
    return slow_path_reasons_.load(std::memory_order_acquire) == traced_bit;
  }
  /// The number of a trace that begins here; 0: it is not sampled.
  [[nodiscard]] std::uint64_t next_trace() const noexcept {
    const std::uint64_t bound = permits_.get()->trace_bound.load(std::memory_order_relaxed);
    if (bound == 0) return 0;
    const std::uint64_t number = msgbus::detail::next_random();
    return (number >> 1U) < bound ? number : 0;
  }

  // --- The end.

  /// Refuses new messages that were not scheduled, and wakes their waiting senders.
  void close_to_senders() noexcept { refuse(closing_bit); }
  /// Refuses new messages, and wakes all waiting senders.
  void close() noexcept { refuse(closed_bit); }
  /// Marks waiting and current messages as discarded; closes.
  void discard() noexcept;
  [[nodiscard]] bool discards() const noexcept {
    return (slow_path_reasons_.load(std::memory_order_acquire) & discard_bit) != 0;
  }

  /// The number of waiting messages.
  [[nodiscard]] std::size_t size() const noexcept {
    return references_ ? references_->size() : queue_.size();
  }
  /// An upper bound for the loops that could take a message now.
  [[nodiscard]] std::size_t takeable() const noexcept {
    return references_ ? references_->takeable() : queue_.size();
  }
  /// The number of messages that wait or are handled, roughly: a loop counts as one.
  [[nodiscard]] std::size_t load() const noexcept {
    return size() + paused() + active_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool closed() const noexcept { return is_closed(); }
  /// The number of accepted messages so far.
  [[nodiscard]] std::uint64_t accepted() const noexcept {
    return references_ ? references_->accepted() : queue_.claimed();
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] overflow on_full() const noexcept { return on_full_; }
  [[nodiscard]] std::size_t concurrency() const noexcept { return loops_; }

 private:
  bool enqueue_in_order(send_operation& out) {
    const block_queue::claim claimed = queue_.try_claim(out.units());
    if (!claimed.at) return false;
    out.put(claimed.storage());
    block_queue::publish(claimed);
    return true;
  }
  bool enqueue(send_operation& out, shared_message& displaced) {
    if (is_timed()) [[unlikely]]
      return enqueue_timed(out, displaced);
    return references_ ? references_->try_push(out.shared(), out.key(), displaced, paused())
                       : enqueue_in_order(out);
  }
  bool enqueue_timed(send_operation& out, shared_message& displaced);
  bool enqueue_in_order(send_operation& out, send_times& times, sent_time sent);
  [[nodiscard]] bool is_timed() const noexcept {
    return (slow_path_reasons_.load(std::memory_order_acquire) & timed_bit) != 0;
  }
  [[nodiscard]] bool take_reference(message_in_hand& next);
  void done_with_reference(message_in_hand& message) noexcept;
  [[nodiscard]] put when_full() const noexcept {
    return on_full_ == overflow::drop_newest ? put::dropped : put::full;
  }
  put try_put_locked(send_operation& out, shared_message& displaced);
  void refuse(std::uint32_t bit) noexcept;
  [[nodiscard]] bool is_empty() const noexcept {
    return references_ ? !references_->ready() : queue_.empty();
  }

  friend struct waiting_put;
  bool attempt(waiting_put& sender, bool woken);
  [[nodiscard]] std::size_t space() const noexcept;
  void count_senders(std::size_t listed, std::size_t sleeping) noexcept;
  void notify_space_locked(wake_batch& woken) noexcept;

  const std::size_t capacity_;
  const overflow on_full_;
  const unsigned loops_;                               // how many may run at once
  const std::unique_ptr<reference_queue> references_;  // null: the queue of blocks

  // The reasons why a message cannot simply be enqueued, as bits. Closed; a queue of references;
  // closed to all but scheduled messages; messages pause, or are discarded; times are measured;
  // sends are traced. The other bits are an upper bound for the senders that wait or were woken.
  // Changed under the lock.
  static constexpr std::uint32_t closed_bit = 1U << 31U;
  static constexpr std::uint32_t references_bit = 1U << 30U;
  static constexpr std::uint32_t closing_bit = 1U << 29U;
  static constexpr std::uint32_t paused_bit = 1U << 28U;
  static constexpr std::uint32_t discard_bit = 1U << 27U;
  static constexpr std::uint32_t timed_bit = 1U << 26U;
  static constexpr std::uint32_t traced_bit = 1U << 25U;
  static constexpr std::uint32_t flag_bits =
      closed_bit | references_bit | closing_bit | paused_bit | discard_bit | timed_bit | traced_bit;
  static constexpr std::uint32_t most_counted = traced_bit - 1;
  /// Whether the queue alone does not know the free space, because senders wait or messages pause.
  [[nodiscard]] bool needs_lock() const noexcept {
    constexpr std::uint32_t others =
        closed_bit | references_bit | closing_bit | discard_bit | timed_bit | traced_bit;
    return (slow_path_reasons_.load(std::memory_order_relaxed) & ~others) != 0;
  }
  [[nodiscard]] bool refuses(const send_operation& out) const noexcept {
    const std::uint32_t bits = out.is_scheduled() ? closed_bit : closed_bit | closing_bit;
    return (slow_path_reasons_.load(std::memory_order_acquire) & bits) != 0;
  }
  [[nodiscard]] bool is_closed() const noexcept {
    return (slow_path_reasons_.load(std::memory_order_acquire) & closed_bit) != 0;
  }

  std::atomic<std::uint32_t> slow_path_reasons_;
  std::atomic<unsigned> active_{0};               // loops started and not ended
  std::atomic<std::uint32_t> sleeping_{0};        // senders that were not woken, or more
  std::atomic<std::uint32_t> wanted_permits_{0};  // by messages whose pause is over, or more

  /// The coroutines that wait for a loop's permit, under a lock of their own, and state that few
  /// mailboxes need.
  struct loop_permits {
    std::mutex mutex;
    wait_list waiting{mutex};
    std::size_t handed_over = 0;         // to those that were woken; never fewer than these
    std::atomic<std::size_t> paused{0};  // messages; changed under the lock of the mailbox
    std::atomic<bool> keeps_order{false};
    std::atomic<std::uint64_t> trace_bound{0};
    std::unique_ptr<send_times> times = {};  // made once, before times are measured
  };
  on_demand<loop_permits> permits_;

  // Placed between the members that every message reads and those that it writes.
  std::mutex mutex_;
  wait_list senders_{mutex_};

  block_queue queue_;
};

/// The attempt of a waiting sender.
struct waiting_put {
  mailbox_state& into;
  send_operation& out;
  put result = put::full;
  shared_send* among = nullptr;  // it waits at other mailboxes, too

  /// For `wait_list::wait`.
  static bool attempt(void* self, bool woken) {
    auto& mine = *static_cast<waiting_put*>(self);
    return mine.into.attempt(mine, woken);
  }
};

}  // namespace msgbus::exec
