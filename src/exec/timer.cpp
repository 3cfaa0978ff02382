#include <msgbus/core/saturate.hpp>
#include <msgbus/exec/context_link.hpp>
#include <msgbus/exec/timer.hpp>

#include <asio/async_result.hpp>
#include <asio/error.hpp>
#include <asio/error_code.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <cassert>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace msgbus::exec {

namespace {

/// A steady timer that a clock may ring instead of time passing. Used under its owner's lock.
class alarm {
 public:
  explicit alarm(asio::any_io_executor executor) : timer_(std::move(executor)) {}

  /// The next wait is for this. A pending one ends, as aborted.
  void set(clock::duration after, std::shared_ptr<clock::sleeper> ringing) {
    leave();
    rung_ = false;
    if (after > clock::duration::zero()) clock_ = installed_clock(timer_.get_executor());
    if (!clock_) {
      timer_.expires_after(after);
      return;
    }
    timer_.expires_at(clock::time_point::max());
    ringing_ = ringing;
    if (!clock_->add(std::move(ringing), saturating_add(clock_->now(), after))) ring();
  }

  /// The pending wait ends at once, or else the next one does.
  void ring() {
    rung_ = true;
    timer_.expires_at(clock::time_point::min());
  }

  void stop() {
    leave();
    timer_.cancel();
  }

  /// The clock is to ring no more.
  void leave() noexcept {
    if (const auto left = std::exchange(clock_, nullptr)) left->remove(*ringing_);
    ringing_.reset();
  }

  /// Whether a wait that ended like this ended because it was time.
  [[nodiscard]] bool expired(const asio::error_code& ended) const noexcept {
    return rung_ || !ended;
  }

  [[nodiscard]] asio::steady_timer& timer() noexcept { return timer_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<clock> clock_;  // that rings it; null if time does
  std::shared_ptr<const clock::sleeper> ringing_;
  bool rung_ = false;
};

}  // namespace

/// States of a timer: idle (no callback) -> waiting (a callback, of this turn) -> idle -> ..., and
/// from any of them -> over (no alarm). A wait that ends in a later turn than it began in, or in
/// none, calls nobody.
class timer_state final : public std::enable_shared_from_this<timer_state>, private context_link {
 public:
  explicit timer_state(asio::any_io_executor executor) {
    if (link(executor)) alarm_.emplace(std::move(executor));
  }

  // A callback is destroyed when the lock is gone: it may own what owns this.

  void start(clock::duration after, std::function<void()> on_expiry) {
    const auto self = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (!alarm_) return;
    ++turn_;
    on_expiry_.swap(on_expiry);
    alarm_->set(after, std::make_shared<wait_of_turn>(self, turn_));
    alarm_->timer().async_wait(
        [self, turn = turn_](const asio::error_code& ended) { self->run(turn, ended); });
  }

  void cancel() noexcept {
    std::function<void()> cancelled;
    const std::lock_guard lock(mutex_);
    ++turn_;
    on_expiry_.swap(cancelled);
    if (alarm_) alarm_->stop();
  }

  void end() noexcept {
    const auto self = shared_from_this();
    std::function<void()> cancelled;
    {
      const std::lock_guard lock(mutex_);
      ++turn_;
      on_expiry_.swap(cancelled);
      if (alarm_) alarm_->leave();
      alarm_.reset();
    }
    unlink();
  }

 private:
  // A clock that is about to wake one wait while the next one begins must not wake that.
  class wait_of_turn final : public clock::sleeper {
   public:
    wait_of_turn(std::weak_ptr<timer_state> state, std::uint64_t turn) noexcept
        : state_(std::move(state)), turn_(turn) {}
    void wake() noexcept override {
      if (const auto state = state_.lock()) state->ring(turn_);
    }

   private:
    const std::weak_ptr<timer_state> state_;
    const std::uint64_t turn_;
  };

  void ring(std::uint64_t turn) noexcept {
    const std::lock_guard lock(mutex_);
    if (alarm_ && turn == turn_) alarm_->ring();
  }

  void context_ended() noexcept override { end(); }

  void run(std::uint64_t turn, const asio::error_code& ended) {
    std::function<void()> on_expiry;
    {
      const std::lock_guard lock(mutex_);
      if (turn != turn_ || !alarm_ || !alarm_->expired(ended)) return;
      alarm_->leave();
      on_expiry_.swap(on_expiry);
    }
    if (on_expiry) on_expiry();
  }

  std::mutex mutex_;
  std::optional<alarm> alarm_;
  std::function<void()> on_expiry_;
  std::uint64_t turn_ = 0;
};

timer::timer(asio::any_io_executor executor)
    : state_(std::make_shared<timer_state>(std::move(executor))) {}

timer::~timer() { state_->end(); }

void timer::start(clock::duration after, std::function<void()> on_expiry) {
  assert(on_expiry && "msgbus: a timer needs a callback");
  state_->start(after, std::move(on_expiry));
}

void timer::cancel() noexcept { state_->cancel(); }

namespace {

/// The wait of one `sleep`. The clock shares it; the coroutine ends it.
class sleeping final : public clock::sleeper {
 public:
  explicit sleeping(asio::any_io_executor executor) { alarm_.emplace(std::move(executor)); }

  // What the clock is given, and what may be called by another thread, is under the lock.

  void set(clock::duration after, const std::shared_ptr<sleeping>& self) {
    const std::lock_guard lock(mutex_);
    alarm_->set(after, self);
  }

  template <class Handler>
  void start(Handler&& waiting) {
    const std::lock_guard lock(mutex_);
    alarm_->timer().async_wait(std::forward<Handler>(waiting));
  }

  [[nodiscard]] bool expired(const asio::error_code& ended) {
    const std::lock_guard lock(mutex_);
    return alarm_->expired(ended);
  }

  void end() noexcept {
    const std::lock_guard lock(mutex_);
    alarm_->leave();
    alarm_.reset();
  }

 private:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    if (alarm_) alarm_->ring();
  }

  std::mutex mutex_;
  std::optional<alarm> alarm_;
};

class sleep_guard {
 public:
  sleep_guard(asio::any_io_executor executor, clock::duration after)
      : sleeping_(std::make_shared<sleeping>(std::move(executor))) {
    sleeping_->set(after, sleeping_);
  }
  sleep_guard(const sleep_guard&) = delete;
  sleep_guard& operator=(const sleep_guard&) = delete;
  ~sleep_guard() { sleeping_->end(); }

  [[nodiscard]] sleeping& get() noexcept { return *sleeping_; }

 private:
  const std::shared_ptr<sleeping> sleeping_;
};

asio::awaitable<void> end_of(sleeping& wait, asio::error_code& ended) {
  auto start = [&wait](auto&& handler) { wait.start(std::forward<decltype(handler)>(handler)); };
  auto token = asio::redirect_error(asio::use_awaitable, ended);
  return asio::async_initiate<decltype(token), void(asio::error_code)>(start, token);
}

}  // namespace

asio::awaitable<void> sleep(clock::duration after) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  sleep_guard guard(executor, after);
  asio::error_code ended;
  co_await end_of(guard.get(), ended);
  if (!guard.get().expired(ended)) throw asio::system_error(ended);
}

}  // namespace msgbus::exec
