#pragma once

/// The state of a `timer`. A larger object may derive from it, and is then its own timer.

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/detail/exec/clock.hpp>
#include <msgbus/detail/exec/context_shutdown_hook.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/error_code.hpp>
#include <asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::exec {

/// States: idle (no callback) -> waiting (a callback, for this turn) -> idle -> ..., and from any
/// of them -> over (no steady timer). A wait that ends in a later turn than its own, or after the
/// end, calls no callback. With an installed clock, the steady timer does not expire by itself: the
/// clock ends its wait.
class timer_state : public std::enable_shared_from_this<timer_state>,
                    private context_shutdown_hook {
 public:
  explicit timer_state(asio::any_io_executor executor) {
    if (link(executor)) timer_.emplace(std::move(executor));
  }
  virtual ~timer_state() = default;  // for derived objects

  // A callback is destroyed without the lock: it may own the owner of this object.

  void start(clock::duration after, std::function<void()> on_expiry) {
    const auto self = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (!timer_) return;
    begin_turn(on_expiry);
    std::shared_ptr<clock> by;
    if (after > clock::duration::zero()) by = installed_clock(timer_->get_executor());
    if (by) {
      clock_waiter_ = std::make_shared<wait_of_turn>(self, turn_);
      clock_ = std::move(by);
      timer_->expires_at(clock::time_point::max());
      if (!clock_->add(clock_waiter_, saturating_add(clock_->now(), after))) expire();
    } else {
      timer_->expires_after(after);
    }
    timer_->async_wait(
        [self, turn = turn_](const asio::error_code& ended) { self->run(turn, ended); });
  }

  /// Whether callbacks run on this executor. False once its context has ended.
  [[nodiscard]] bool runs_on(const asio::any_io_executor& executor) {
    const std::lock_guard lock(mutex_);
    return timer_ && timer_->get_executor() == executor;
  }

  void cancel() noexcept {
    std::function<void()> cancelled;
    const std::lock_guard lock(mutex_);
    begin_turn(cancelled);
    if (timer_) timer_->cancel();
  }

  void end() noexcept {
    const auto self = shared_from_this();
    std::function<void()> cancelled;
    {
      const std::lock_guard lock(mutex_);
      begin_turn(cancelled);
      timer_.reset();
    }
    unlink();
  }

 private:
  // Identifies its turn, so a clock that wakes it late does not end the wait of the next turn.
  class wait_of_turn final : public clock::clock_waiter {
   public:
    wait_of_turn(std::weak_ptr<timer_state> state, std::uint64_t turn) noexcept
        : state_(std::move(state)), turn_(turn) {}
    void wake() noexcept override {
      const auto state = state_.lock();
      if (!state) return;
      const std::lock_guard lock(state->mutex_);
      if (state->timer_ && turn_ == state->turn_) state->expire();
    }

   private:
    const std::weak_ptr<timer_state> state_;
    const std::uint64_t turn_;
  };

  void begin_turn(std::function<void()>& callback) noexcept {
    ++turn_;
    on_expiry_.swap(callback);
    leave_clock();
    is_due_ = false;
  }

  void leave_clock() noexcept {
    if (const auto left = std::exchange(clock_, nullptr)) left->remove(*clock_waiter_);
    clock_waiter_.reset();
  }

  /// Ends the pending wait; if none is pending, the next one at once.
  void expire() {
    is_due_ = true;
    timer_->expires_at(clock::time_point::min());
  }

  void context_ended() noexcept override { end(); }

  void run(std::uint64_t turn, const asio::error_code& ended) {
    std::function<void()> on_expiry;
    {
      const std::lock_guard lock(mutex_);
      if (turn != turn_ || !timer_ || (ended && !is_due_)) return;
      leave_clock();
      on_expiry_.swap(on_expiry);
    }
    if (on_expiry) on_expiry();
  }

  std::mutex mutex_;
  std::optional<asio::steady_timer> timer_;
  std::function<void()> on_expiry_;
  std::uint64_t turn_ = 0;
  std::shared_ptr<clock> clock_;  // ends this turn; null: the steady timer does
  std::shared_ptr<clock::clock_waiter> clock_waiter_;
  bool is_due_ = false;  // expired by the clock
};

}  // namespace msgbus::exec
