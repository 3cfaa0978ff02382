#pragma once

/// The loops that take messages out of a mailbox and handle them, on the mailbox's executor.

#include <msgbus/detail/exec/mailbox.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>

#include <asio/cancellation_signal.hpp>

#include <atomic>
#include <memory>

namespace msgbus::exec {

/// A claim to take messages, and the current message. It starts as an `inline_loop`, and continues
/// as a `coroutine_loop` once a handler must be awaited.
class consumer_loop {
 public:
  consumer_loop(mailbox& in, std::shared_ptr<const void> keep) noexcept;
  consumer_loop(consumer_loop&& other) noexcept;
  consumer_loop& operator=(consumer_loop&&) = delete;
  /// If the loop has not ended, its executor was destroyed.
  ~consumer_loop();

  [[nodiscard]] mailbox& of() const noexcept { return *mailbox_; }

  /// Handles messages until one must be awaited, by `rest`, or a batch is done. False if the loop
  /// has ended: no message was left, or another loop has its permit.
  bool run(asio::awaitable<void>& rest);

  /// Handles a message that is not in the mailbox, in place of a loop. Returns false, and does
  /// nothing, if a loop runs or messages wait. Messages that arrive meanwhile are left to a posted
  /// loop.
  static bool handle_in_sender(mailbox& in, queued_message& message);

  [[nodiscard]] const queued_message& in_hand() const noexcept { return *message_.get(); }
  /// Called when the current message has been handled, or was moved elsewhere.
  void done() noexcept {
    if (message_) mailbox_->state_.done(message_);
  }
  /// Whether messages of the same key wait for the current one (P5).
  [[nodiscard]] bool keeps_order() const noexcept {
    return message_.has_key() || mailbox_->state_.keeps_order();
  }

  /// Without a permit it takes no messages; `time_beside` changes that.
  void lose_permit() noexcept { has_permit_ = false; }
  void regain_permit() noexcept { has_permit_ = true; }

 private:
  [[nodiscard]] unsigned idle_spins() const noexcept;
  [[nodiscard]] bool is_handled(queued_message& message, asio::awaitable<void>& rest);

  mailbox* mailbox_;  // null: the loop has ended, or was moved from
  std::shared_ptr<const void> keep_;
  message_in_hand message_;
  bool has_permit_ = true;     // one of the mailbox's `concurrency`
  std::uint32_t handled_ = 0;  // modulo 2^32
  std::uint32_t idle_ = 0;     // the number of empty runs in a row
};

/// A loop without a coroutine: a function that is posted, as long as no handler must be awaited.
class inline_loop {
 public:
  /// Posts the loop to the mailbox's executor.
  static void post(consumer_loop&& mine);
  void operator()();

  // The associated allocator, for Asio.
  using allocator_type = wake_allocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept;

 private:
  explicit inline_loop(consumer_loop&& mine) noexcept : mine_(std::move(mine)) {}

  consumer_loop mine_;
};

/// A loop that awaits handlers: a coroutine on a strand, which can be cancelled.
struct coroutine_loop : std::enable_shared_from_this<coroutine_loop> {
  explicit coroutine_loop(consumer_loop&& going_on);
  ~coroutine_loop();
  coroutine_loop(const coroutine_loop&) = delete;
  coroutine_loop& operator=(const coroutine_loop&) = delete;

  /// Adds the loop to the mailbox's list, so that `cancel_all` cancels it. False if the mailbox was
  /// discarded before.
  bool list();
  /// Cancels the coroutines of the mailbox's loops, each on its strand.
  static void cancel_all(mailbox& in);
  /// Once, after `emits` was set.
  static void post_emission(std::shared_ptr<coroutine_loop> self);
  static asio::awaitable<void> resume(std::shared_ptr<coroutine_loop> self,
                                      asio::awaitable<void> rest);

  mailbox& in;
  const asio::any_io_executor work;
  const mailbox_strand executor;
  consumer_loop mine;
  asio::cancellation_signal signal;  // used on the executor only
  wake_memory memory;                // of the function that emits it
  std::atomic<bool> emits{false};    // that function is on its way
  // The mailbox's list, under its lock.
  bool listed = false;
  coroutine_loop* previous = nullptr;
  coroutine_loop* next = nullptr;
};

/// The time that a message spends beside its mailbox between two attempts, in the frame of its
/// coroutine, on the loop's strand: other messages are handled meanwhile. Without a loop it does
/// nothing. docs/design/0024-retries-beside-the-mailbox.md
class time_beside {
 public:
  /// Moves out: the message in hand must have been moved elsewhere. May throw `bad_alloc`.
  explicit time_beside(coroutine_loop* of);
  time_beside(const time_beside&) = delete;
  time_beside& operator=(const time_beside&) = delete;
  ~time_beside();

  /// Completes: when the loop has a permit again.
  /// Throws: `operation_aborted`, and the loop ends with the message in hand.
  /// Cancellation: ends the wait.
  /// Executor: the caller's.
  [[nodiscard]] asio::awaitable<void> come_back();

 private:
  coroutine_loop* const loop_;
};

}  // namespace msgbus::exec
