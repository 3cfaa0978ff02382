#pragma once

/// The mailbox of a component: bounded (A6), in order (A4). Its consumer loops take messages, have
/// them handled, and yield after each batch (A11). `mailbox_state` decides; this class acts on an
/// executor.

#include <msgbus/detail/exec/context_shutdown_hook.hpp>
#include <msgbus/detail/exec/mailbox_state.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>
#include <msgbus/detail/exec/recycled_memory.hpp>
#include <msgbus/detail/exec/requirements.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace msgbus::exec {

/// The component that handles the messages of a mailbox.
class mailbox_owner {
 public:
  /// Names the component in errors: "the consumer".
  [[nodiscard]] virtual const char* kind() const noexcept { return "the component"; }

  /// Handles a message. Returns true when done. Otherwise `rest` does the rest, and never throws.
  /// The message exists until then.
  virtual bool handle(queued_message& message, asio::awaitable<void>& rest) = 0;

  /// A message is discarded unhandled, because the mailbox or its loop ends, or by an overflow
  /// policy.
  virtual void abandoned(const queued_message& message) noexcept = 0;
  virtual void dropped(const queued_message& message) noexcept = 0;
  /// A message is not handled, because its key function has thrown `why`.
  virtual void failed(const queued_message& message, const std::exception_ptr& why) noexcept = 0;

  /// Called for each offered message while sends are traced, under a guard of the component. Begins
  /// the span of the send, which becomes the cause of the message; null: no span. `number` is the
  /// number of a new, sampled trace; 0: the message has a cause.
  virtual std::shared_ptr<msgbus::detail::active_span> begin_send(
      send_operation& /*out*/, std::uint64_t /*number*/) noexcept {
    return nullptr;
  }

  /// Keeps the component's core, and with it the mailbox, alive while a loop runs.
  virtual std::shared_ptr<const void> keep() noexcept = 0;

 protected:
  ~mailbox_owner() = default;
};

class mailbox : private context_shutdown_hook {
 public:
  mailbox(const asio::any_io_executor& executor, const mailbox_options& options,
          mailbox_owner& owner);
  ~mailbox();

  /// Adds a message if there is space and no sender waits. `out` is used up only if it is
  /// accepted. For any thread.
  put try_put(send_operation& out) {
    if (!state_.has_fast_path()) [[unlikely]]
      return try_put_slowly(out);
    const put result = state_.put_in_order(out);
    if (result == put::taken && state_.wants_loop()) [[unlikely]]
      start_loop();
    return result;
  }

  /// As above, but may start no loop: the caller must call `start_loops` soon. So one post may
  /// serve many messages.
  put try_put_only(send_operation& out) {
    if (!state_.has_fast_path()) [[unlikely]]
      return try_put_slowly(out);
    return state_.put_in_order(out);
  }
  /// Allows senders on the executor to handle their message themselves, by `try_handle`. For a
  /// mailbox with one loop whose handlers never suspend. Call it before other threads use the
  /// mailbox.
  void allow_handling_by_senders();
  [[nodiscard]] bool allows_handling_by_senders() const noexcept { return by_senders_ != nullptr; }
  /// Handles a message on the calling thread, as a loop would, if the thread runs the executor, no
  /// message waits and no loop runs. Otherwise returns false, and does nothing.
  bool try_handle(queued_message& message);
  /// Whether `try_handle` has handled so many messages that a coroutine should let other work run
  /// (A11).
  [[nodiscard]] bool senders_should_yield() const noexcept;

  /// Starts as many loops as the waiting messages need.
  void start_loops() {
    for (std::size_t left = state_.takeable(); left != 0 && state_.wants_loop(); --left)
      start_loop();
  }

  /// Waits for space and adds the message. `here` is the caller's executor.
  ///
  /// Throws: `would_deadlock` if a loop of this mailbox waits for work on `here`;
  /// `operation_aborted`.
  /// Cancellation: ends the wait; the message was not accepted.
  asio::awaitable<put> put_when_space(send_operation& out, const asio::any_io_executor& here);

  /// For a message that waits without an attempt before; under a guard.
  void prepare(send_operation& out) { state_.prepare(out); }
  /// As above, for a message that waits at several mailboxes; `among` is the same for all. Once one
  /// has taken it, the others complete with `full`, or when they are cancelled.
  asio::awaitable<put> put_when_space_among(send_operation& out, shared_send& among,
                                            const asio::any_io_executor& here);

  /// Throws `would_deadlock` if the calling thread runs the mailbox's executor, as far as that is
  /// detectable: it would wait for itself.
  void check_may_block() const;

  /// See `mailbox_state`. Not under a guard.
  void order_by(const routing::domain& guarded, std::shared_ptr<const key_rule> rule) {
    state_.order_by(guarded, std::move(rule));
  }
  void forget_rules(const routing::domain& guarded) noexcept { state_.forget_rules(guarded); }

  /// See `mailbox_state`.
  void time_sends(std::uint32_t sample) { state_.time_sends(sample); }
  void trace_sends(bool wanted, std::uint64_t bound) { state_.trace_sends(wanted, bound); }
  [[nodiscard]] bool is_traced() const noexcept { return state_.is_traced(); }
  [[nodiscard]] sent_time sent_in_hand(const queued_message& in_hand) const noexcept {
    return state_.sent_in_hand(in_hand);
  }
  /// As above; 0 for a queue of references.
  [[nodiscard]] sent_time sent_in_hand() const noexcept { return state_.sent_in_hand(); }
  [[nodiscard]] bool keeps_references() const noexcept { return state_.keeps_references(); }
  [[nodiscard]] std::optional<sent_time> oldest_sent() const noexcept {
    return state_.oldest_sent();
  }

  /// Refuses new messages that were not scheduled, and wakes their waiting senders.
  void close_to_senders() noexcept { state_.close_to_senders(); }
  /// Refuses new messages, and wakes all waiting senders.
  void close() noexcept { state_.close(); }

  /// Discards waiting messages, and cancels running handlers. Implies `close`.
  void discard() noexcept;

  /// Whether `discard` was called.
  [[nodiscard]] bool discards() const noexcept { return state_.discards(); }

  /// The number of waiting messages, with those that pause between two attempts.
  [[nodiscard]] std::size_t size() const noexcept { return state_.size() + state_.paused(); }
  /// See `mailbox_state`.
  [[nodiscard]] std::size_t load() const noexcept { return state_.load(); }
  [[nodiscard]] bool closed() const noexcept { return state_.closed(); }
  /// Whether a message would wait, or be refused or dropped. It may change at any time.
  [[nodiscard]] bool is_full() const noexcept { return size() >= capacity(); }
  /// The number of accepted messages so far.
  [[nodiscard]] std::uint64_t accepted() const noexcept {
    return state_.accepted() + handled_by_senders();
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return state_.capacity(); }
  [[nodiscard]] overflow on_full() const noexcept { return state_.on_full(); }
  /// How many messages are handled at once.
  [[nodiscard]] std::size_t concurrency() const noexcept { return state_.concurrency(); }
  /// Empty after its context was destroyed: then `can_run` is false.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
  /// Calls `look` with the executor, whose context cannot end meanwhile; false: it has ended. For
  /// threads that are not the program's.
  template <class Look>
  bool look_at_executor(const Look& look) const {
    if (!hold()) return false;
    const context_keeper until_looked = adopt_hold();
    look(executor_);
    return true;
  }
  /// How many senders wait for space, or are about to go on; or more.
  [[nodiscard]] std::size_t blocked_senders() const noexcept { return state_.counted_senders(); }
  /// Whether the executor's context exists.
  [[nodiscard]] bool can_run() const noexcept {
    return !context_ended_.load(std::memory_order_acquire);
  }

 private:
  friend class consumer_loop;
  friend class inline_loop;
  friend struct coroutine_loop;
  friend class time_beside;

  asio::awaitable<put> put_when_space(waiting_put sender, asio::any_io_executor here);
  [[noreturn]] void throw_would_deadlock(const char* why) const;
  struct handling_by_senders;
  [[nodiscard]] std::uint64_t handled_by_senders() const noexcept;
  void count_handled_by_sender() noexcept;

  put try_put_slowly(send_operation& out);
  put try_put_traced(send_operation& out, std::uint64_t number);
  put try_put_untraced(send_operation& out);
  put result_of(put result);

  [[nodiscard]] shared_origin cause_of_no_origin() const;
  void start_loop();
  void notify_space(bool surely) noexcept;
  void notify_space_while_awaiting(const std::shared_ptr<const void>& keep);
  void abandon_rest() noexcept;
  void context_ended() noexcept override;

  // First, where the base leaves space.
  std::atomic<bool> context_ended_{false};
  std::atomic<bool> wake_posted_{false};  // a posted function will wake senders
  asio::any_io_executor executor_;        // emptied when its context is destroyed
  mailbox_owner& owner_;
  wake_memory wake_memory_;  // for the post that starts a loop
  // The loops that can be cancelled, under the lock of `state_`.
  struct coroutine_loop* running_ = nullptr;
  std::unique_ptr<handling_by_senders> by_senders_;  // null: every message waits for a loop

  mailbox_state state_;
};

}  // namespace msgbus::exec
