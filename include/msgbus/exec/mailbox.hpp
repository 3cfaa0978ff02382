#pragma once

/// A component's mailbox: bounded (A6), in order (A4), with consumer loops that take messages out
/// and have them handled, and let others run after each batch (A11). `mailbox_state` decides; this
/// does it on an executor.

#include <msgbus/exec/context_shutdown_hook.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/mailbox_state.hpp>
#include <msgbus/exec/requirements.hpp>
#include <msgbus/exec/wake_memory.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <memory>

namespace msgbus::exec {

/// Who handles the messages of a mailbox: its component.
class mailbox_owner {
 public:
  /// Has a message handled. True if that is done; else `rest` does the rest, and never throws. The
  /// message lives until then.
  virtual bool handle(queued_message& message, asio::awaitable<void>& rest) = 0;

  /// A message is discarded, unhandled, because the mailbox ends or its loop does; or because an
  /// overflow policy says so.
  virtual void abandoned(const queued_message& message) noexcept = 0;
  virtual void dropped(const queued_message& message) noexcept = 0;

  /// What keeps the component's core, and with it the mailbox, while a loop runs.
  virtual std::shared_ptr<const void> keep() noexcept = 0;

 protected:
  ~mailbox_owner() = default;
};

class mailbox : private context_shutdown_hook {
 public:
  mailbox(const asio::any_io_executor& executor, const mailbox_options& options,
          mailbox_owner& owner);
  ~mailbox();

  /// Puts a message in if there is room and nobody waits for it. `out` is used up only if it is
  /// taken or dropped. For any thread.
  put try_put(send_operation& out) {
    if (!state_.is_unhindered()) [[unlikely]]
      return try_put_slowly(out);
    const put result = state_.put_in_order(out);
    if (result == put::taken && state_.wants_loop()) [[unlikely]]
      start_loop();
    return result;
  }

  /// The same, but it may start no loop: the caller is to call `start_loops` soon after this. So
  /// one post may serve many messages.
  put try_put_only(send_operation& out) {
    if (!state_.is_unhindered()) [[unlikely]]
      return try_put_slowly(out);
    return state_.put_in_order(out);
  }
  /// Starts as many loops as the messages that wait can use.
  void start_loops() {
    for (std::size_t left = state_.size(); left != 0 && state_.wants_loop(); --left) start_loop();
  }

  /// Waits for room and puts the message in. `here` is the caller's executor; throws
  /// `would_deadlock` if a loop of this mailbox waits for what runs there, and Asio's
  /// `operation_aborted` if it is cancelled; then the message was not taken.
  asio::awaitable<put> put_when_room(send_operation& out, const asio::any_io_executor& here);

  /// Throws `would_deadlock` if a thread that blocks until there is room is one that makes room:
  /// one that runs the mailbox's executor, where that can be known.
  void check_may_block() const;

  /// Refuses messages from now on and wakes all who wait for room.
  void close() noexcept { state_.close(); }

  /// Discards what waits, and cancels what is being handled. Implies `close`.
  void discard() noexcept;

  /// Whether that was called: what is being handled is cancelled, or will be at once.
  [[nodiscard]] bool discards() const noexcept { return state_.discards(); }

  /// How many messages wait.
  [[nodiscard]] std::size_t size() const noexcept { return state_.size(); }
  /// How many were ever put in.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return state_.accepted(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return state_.capacity(); }
  [[nodiscard]] overflow on_full() const noexcept { return state_.on_full(); }
  /// Empty once its context has ended: then `can_run` is false.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
  /// Whether the executor's context is still there.
  [[nodiscard]] bool can_run() const noexcept {
    return !context_ended_.load(std::memory_order_acquire);
  }

 private:
  friend class consumer_loop;
  friend class inline_loop;
  friend struct coroutine_loop;

  [[noreturn]] void throw_would_deadlock(const char* by) const;
  put try_put_slowly(send_operation& out);
  put result_of(put result);

  void start_loop();
  void notify_space(bool surely) noexcept;
  void notify_space_while_awaiting(const std::shared_ptr<const void>& keep);
  void abandon_rest() noexcept;
  void context_ended() noexcept override;

  asio::any_io_executor executor_;  // emptied when its context ends, and never set again
  mailbox_owner& owner_;
  std::atomic<bool> context_ended_{false};
  std::atomic<bool> wake_posted_{false};  // somebody will look for senders to wake
  wake_memory wake_memory_;               // for the post that starts a loop
  // A list of those that can be cancelled, under the lock of `state_`.
  struct coroutine_loop* running_ = nullptr;

  mailbox_state state_;
};

}  // namespace msgbus::exec
