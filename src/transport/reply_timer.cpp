#include "transport/reply_timer.hpp"

#include <msgbus/detail/core/durations.hpp>

#include "exec/timer_state.hpp"

#include <asio/execution/outstanding_work.hpp>
#include <asio/prefer.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::transport {

/// Kept by the timer's pending wait, too. Lock order: this, then the timer's own.
class reply_timer::state final : public exec::timer_state {
 public:
  state(const asio::any_io_executor& executor, std::shared_ptr<exec::clock> by)
      : exec::timer_state(executor), clock_(std::move(by)) {}

  [[nodiscard]] bool is_by(const exec::clock* clock) const noexcept {
    return clock_.get() == clock;
  }

  void add(exec::deadline_queue::entry& added, exec::clock::duration after) {
    const std::lock_guard lock(mutex_);
    waiting_.add(added, detail::saturating_add(now(), after));
    if (!armed_ || added.at() < armed_for_) arm();
  }

  void remove(exec::deadline_queue::entry& removed) noexcept {
    const std::lock_guard lock(mutex_);
    waiting_.remove(removed);
    if (!waiting_.empty() || !armed_) return;
    armed_ = false;
    cancel();
  }

 private:
  [[nodiscard]] exec::clock::time_point now() const noexcept {
    return clock_ ? clock_->now() : std::chrono::steady_clock::now();
  }

  // With the lock.
  void arm() {
    armed_ = false;
    armed_for_ = waiting_.first()->at();
    start(std::max(detail::saturating_sub(armed_for_, now()), exec::clock::duration::zero()),
          [this] { expired(); });
    armed_ = true;
  }

  void expired() {
    // Each is told without the lock. One that is being destroyed is not told.
    while (const std::shared_ptr<wait> due = next_due()) due->time_is_over();
  }

  // Null if none is due; then the timer runs for the next one.
  std::shared_ptr<wait> next_due() {
    const std::lock_guard lock(mutex_);
    const auto until = now();
    while (exec::deadline_queue::entry* const first = waiting_.pop_due(until)) {
      if (auto due = static_cast<wait*>(first)->weak_from_this().lock()) return due;
    }
    armed_ = false;
    if (!waiting_.empty()) arm();
    return nullptr;
  }

  const std::shared_ptr<exec::clock> clock_;  // null: the steady clock
  std::mutex mutex_;                          // of what follows
  exec::deadline_queue waiting_;
  bool armed_ = false;
  exec::clock::time_point armed_for_;
};

reply_timer::reply_timer(const asio::any_io_executor& executor, std::shared_ptr<exec::clock> by)
    : state_(std::make_shared<state>(executor, std::move(by))) {}

reply_timer::~reply_timer() { state_->end(); }

bool reply_timer::is_for(const asio::any_io_executor& executor, const exec::clock* by) const {
  return state_->is_by(by) && state_->runs_on(executor);
}

void reply_timer::wait::begin(std::shared_ptr<reply_timer> in, exec::clock::duration after) {
  in_ = std::move(in);
  in_->state_->add(*this, after);
}

void reply_timer::wait::leave() noexcept {
  if (const auto left = std::exchange(in_, nullptr)) left->state_->remove(*this);
}

std::shared_ptr<reply_timer> reply_timers::of(const asio::any_io_executor& caller) {
  const auto clock = exec::installed_clock(caller);
  // An executor that counts as work would keep its context running.
  const asio::any_io_executor on =
      asio::prefer(caller, asio::execution::outstanding_work.untracked);
  std::shared_ptr<reply_timer> replaced;  // ends after the lock
  const std::lock_guard lock(mutex_);
  for (const auto& each : recent_) {
    if (each && each->is_for(on, clock.get())) return each;
  }
  auto made = std::make_shared<reply_timer>(on, clock);
  replaced = std::exchange(recent_[next_], made);
  next_ = (next_ + 1) % recent_.size();
  return made;
}

}  // namespace msgbus::transport
