#pragma once

/// What takes messages out of a mailbox and has them handled, on the mailbox's executor.

#include <msgbus/detail/exec/mailbox.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include <asio/cancellation_signal.hpp>

namespace msgbus::exec {

/// The right to take messages, and the message in hand. It begins as an `inline_loop`, and goes on
/// as a `coroutine_loop` once a handler has suspended.
class consumer_loop {
 public:
  consumer_loop(mailbox& in, std::shared_ptr<const void> keep) noexcept;
  consumer_loop(consumer_loop&& other) noexcept;
  consumer_loop& operator=(consumer_loop&&) = delete;
  /// If it has not ended, its executor was destroyed.
  ~consumer_loop();

  [[nodiscard]] mailbox& of() const noexcept { return *mailbox_; }

  /// Handles messages until one must be awaited, by `rest`, or a batch is done. False if there was
  /// none and the loop has ended.
  bool run(asio::awaitable<void>& rest);

  [[nodiscard]] const queued_message& in_hand() const noexcept { return *message_.get(); }
  /// The message in hand has been handled.
  void done() noexcept { mailbox_->state_.done(message_); }

 private:
  [[nodiscard]] unsigned idle_spins() const noexcept;

  mailbox* mailbox_;  // null: it has ended, or was moved from
  std::shared_ptr<const void> keep_;
  message_in_hand message_;
  std::uint32_t handled_ = 0;  // modulo 2^32
  std::uint32_t idle_ = 0;     // how often in a row it found nothing
};

/// A loop as it starts: a plain function on the executor, as long as no handler suspends.
class inline_loop {
 public:
  /// Posts it to the mailbox's executor.
  static void post(consumer_loop&& mine);
  void operator()();

  // What Asio asks for: where the memory of the operation comes from.
  using allocator_type = wake_allocator<void>;
  [[nodiscard]] allocator_type get_allocator() const noexcept;

 private:
  explicit inline_loop(consumer_loop&& mine) noexcept : mine_(std::move(mine)) {}

  consumer_loop mine_;
};

/// A loop as it goes on once a handler has suspended: a coroutine on a strand, which can be
/// cancelled.
struct coroutine_loop {
  explicit coroutine_loop(consumer_loop&& going_on);
  ~coroutine_loop();
  coroutine_loop(const coroutine_loop&) = delete;
  coroutine_loop& operator=(const coroutine_loop&) = delete;

  /// From now on `cancel_all` reaches it. False if the mailbox was discarded before that.
  bool list();
  /// Has the coroutines of the mailbox's loops cancelled, each on its strand.
  static void cancel_all(mailbox& in);
  static asio::awaitable<void> resume(std::shared_ptr<coroutine_loop> self,
                                      asio::awaitable<void> rest);

  mailbox& in;
  const asio::any_io_executor work;
  const mailbox_strand executor;
  consumer_loop mine;
  asio::cancellation_signal signal;  // used on the executor only
  // The mailbox's list, under its lock.
  bool listed = false;
  coroutine_loop* previous = nullptr;
  coroutine_loop* next = nullptr;
};

}  // namespace msgbus::exec
