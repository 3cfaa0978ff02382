#pragma once

/// A component's mailbox: bounded (A6), in order (A4), with lanes that take messages out and have
/// them handled, and let others run after each batch (A11).
///
/// Senders put messages in and then look whether a lane must be started; a lane that finds nothing
/// more ends, and then looks once more. Who may be where, and why no message stays behind and no
/// sender waits for ever, is in docs/design/0006-mailbox.md; tests/models/mailbox.pml is the same
/// as a model that is checked.

#include <msgbus/core/function_ref.hpp>
#include <msgbus/exec/box_queue.hpp>
#include <msgbus/exec/context_link.hpp>
#include <msgbus/exec/lane_executor.hpp>
#include <msgbus/exec/outgoing.hpp>
#include <msgbus/exec/requirements.hpp>
#include <msgbus/exec/ring.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <atomic>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

namespace msgbus::exec {

/// Who handles the messages of a mailbox: its component.
class mailbox_owner {
 public:
  /// Has a message handled. True if that is done; else `rest` does the rest, and never throws. The
  /// message lives until then.
  virtual bool handle(carried& message, asio::awaitable<void>& rest) = 0;

  /// A message is discarded, unhandled, because the mailbox ends or its lane does; or because an
  /// overflow policy says so.
  virtual void abandoned(const carried& message) noexcept = 0;
  virtual void dropped(const carried& message) noexcept = 0;

  /// What keeps the component's core, and with it the mailbox, while a lane runs.
  virtual std::shared_ptr<const void> keep() noexcept = 0;

 protected:
  ~mailbox_owner() = default;
};

/// What became of an attempt to put a message in.
enum class put { taken, dropped, full, closed };

class mailbox : private context_link {
 public:
  mailbox(const asio::any_io_executor& executor, const mailbox_options& options,
          mailbox_owner& owner);
  ~mailbox();

  /// Puts a message in if there is room and nobody waits for it. `out` is used up only if it is
  /// taken or dropped. For any thread.
  template <class Outgoing>
  put try_put(Outgoing& out) {
    if (closed_.load(std::memory_order_acquire)) [[unlikely]]
      return put::closed;
    out.prepare(!boxes_);
    if (waiting_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      return try_put_behind([&] { return enqueue(out); });
    return enqueue(out) ? started() : when_full();
  }

  /// Waits for room and puts the message in. `here` is the caller's executor; throws
  /// `would_deadlock` if a lane of this mailbox waits for what runs there, and Asio's
  /// `operation_aborted` if it is cancelled; then the message was not taken.
  template <class Outgoing>
  asio::awaitable<put> put_when_room(Outgoing& out, const asio::any_io_executor& here) {
    auto enqueued = [&] { return enqueue(out); };
    co_return co_await wait_for_room(enqueued, here);
  }

  /// Refuses messages from now on and wakes all who wait for room.
  void close() noexcept;

  /// Discards what waits, and cancels what is being handled. Implies `close`.
  void discard() noexcept;

  /// Whether that was called: what is being handled is cancelled, or will be at once.
  [[nodiscard]] bool discards() const noexcept {
    return discarding_.load(std::memory_order_acquire);
  }

  /// How many messages wait.
  [[nodiscard]] std::size_t size() const noexcept { return boxes_ ? boxes_->size() : ring_.size(); }
  /// How many were ever put in.
  [[nodiscard]] std::uint64_t accepted() const noexcept {
    return boxes_ ? boxes_->accepted() : ring_.claimed();
  }
  [[nodiscard]] const mailbox_options& options() const noexcept { return options_; }
  /// Empty once its context has ended: then `can_run` is false.
  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
  /// Whether the executor's context is still there.
  [[nodiscard]] bool can_run() const noexcept {
    return !context_ended_.load(std::memory_order_acquire);
  }

 private:
  class lane;
  class plain_run;
  struct strand_run;
  struct sender;

  template <class Outgoing>
  bool enqueue(Outgoing& out) {
    if (boxes_) return enqueue_box(out.boxed());
    const ring::claim claimed = ring_.try_claim();
    if (!claimed.at) return false;
    out.put(claimed.at->place);
    ring::publish(claimed);
    return true;
  }

  bool enqueue_box(owned_message& message);

  /// A message is in: sees to it that a lane runs.
  put started() {
    // Sequentially consistent, as is the publication before it: either the lane that is about to
    // end sees the message, or the end of the lane is seen here.
    if (active_.load(std::memory_order_seq_cst) < lanes_) [[unlikely]]
      start_lane();
    return put::taken;
  }

  put when_full() const noexcept {
    return options_.on_full == overflow::drop_newest ? put::dropped : put::full;
  }

  put try_put_behind(function_ref<bool()> enqueued);
  asio::awaitable<put> wait_for_room(function_ref<bool()> enqueued,
                                     const asio::any_io_executor& here);
  [[nodiscard]] bool has_place(const sender& waiting) const noexcept;
  std::optional<put> attempt(sender& waiting, function_ref<bool()> enqueued);
  void wake_senders_locked() noexcept;
  void room_made(bool surely) noexcept;
  void room_made_for_long(const std::shared_ptr<const void>& keep);
  [[nodiscard]] std::size_t room() const noexcept;

  [[nodiscard]] bool claim_lane() noexcept;
  void start_lane();
  void start_coroutine(lane&& mine, asio::awaitable<void> rest);
  asio::awaitable<void> go_on(std::shared_ptr<strand_run> run, asio::awaitable<void> rest);
  void abandon_rest() noexcept;
  [[nodiscard]] bool ready() const noexcept { return boxes_ ? boxes_->ready() : ring_.ready(); }
  void context_ended() noexcept override;

  asio::any_io_executor executor_;  // emptied when its context ends, and never set again
  const mailbox_options options_;
  mailbox_owner& owner_;
  const std::shared_ptr<const lineage> lineage_;
  const unsigned lanes_;                    // how many may run at once
  const std::unique_ptr<box_queue> boxes_;  // null: the ring

  std::atomic<bool> closed_{false};
  std::atomic<bool> discarding_{false};
  std::atomic<bool> context_ended_{false};
  std::atomic<bool> nudged_{false};       // somebody will look for senders to wake
  std::atomic<unsigned> active_{0};       // lanes started and not ended
  std::atomic<std::size_t> waiting_{0};   // senders in the list
  std::atomic<std::size_t> sleeping_{0};  // of them, those that nobody has woken

  std::mutex mutex_;
  std::list<sender*> senders_;  // who waits for room, in the order of coming
  std::list<strand_run*> running_;

  ring ring_;
};

}  // namespace msgbus::exec
