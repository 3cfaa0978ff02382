#include <msgbus/detail/exec/deadline_timer.hpp>

#include <msgbus/detail/core/durations.hpp>

#include "exec/timer_state.hpp"

#include <asio/execution/outstanding_work.hpp>
#include <asio/prefer.hpp>

#include <algorithm>
#include <utility>

namespace msgbus::exec {

/// Kept by the timer's pending wait, too. Lock order: this, then the timer's own.
class deadline_timer::state final : public timer_state {
 public:
  state(const asio::any_io_executor& executor, std::shared_ptr<clock> by)
      : timer_state(executor), clock_(std::move(by)) {}

  [[nodiscard]] bool is_by(const clock* other) const noexcept { return clock_.get() == other; }

  [[nodiscard]] bool add(deadline_queue::entry& added, clock::time_point at) {
    const std::lock_guard lock(mutex_);
    waiting_.add(added, at);
    return !armed_ || at < armed_for_;
  }

  [[nodiscard]] entry::result remove(entry& removed) noexcept {
    const std::lock_guard lock(mutex_);
    waiting_.remove(removed);
    return {!removed.is_over_, armed_ && waiting_.empty()};
  }

  void look() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      if (std::exchange(armed_, false)) cancel();
    } else if (!armed_ || waiting_.first()->at() < armed_for_) {
      arm();
    }
  }

 private:
  [[nodiscard]] clock::time_point now() const noexcept {
    return clock_ ? clock_->now() : std::chrono::steady_clock::now();
  }

  // With the lock.
  void arm() {
    armed_ = false;
    armed_for_ = waiting_.first()->at();
    start(std::max(saturating_sub(armed_for_, now()), clock::duration::zero()),
          [this] { run_expired(); });
    armed_ = true;
  }

  void run_expired() {
    while (const std::shared_ptr<late_work> late = next_late()) late->time_is_over();
  }

  // Null if there is none; then the timer runs for the next entry.
  std::shared_ptr<late_work> next_late() {
    const std::lock_guard lock(mutex_);
    const auto until = now();
    while (deadline_queue::entry* const first = waiting_.pop_due(until)) {
      entry& due = static_cast<entry&>(*first);
      due.is_over_ = true;
      if (auto late = due.expired()) return late;
    }
    armed_ = false;
    if (!waiting_.empty()) arm();
    return nullptr;
  }

  const std::shared_ptr<clock> clock_;  // null: the steady clock
  std::mutex mutex_;                    // of what follows
  deadline_queue waiting_;
  bool armed_ = false;
  clock::time_point armed_for_;
};

bool deadline_timer::entry::begin(deadline_timer& in, clock::time_point at) {
  const bool needs_look = in.state_->add(*this, at);
  in_ = in.state_.get();
  return needs_look;
}

deadline_timer::entry::result deadline_timer::entry::end() noexcept {
  if (state* const left = std::exchange(in_, nullptr)) return left->remove(*this);
  return {!is_over_, false};
}

deadline_timer::deadline_timer(const asio::any_io_executor& executor, std::shared_ptr<clock> by)
    : state_(std::make_shared<state>(executor, std::move(by))) {}

deadline_timer::~deadline_timer() { state_->end(); }

void deadline_timer::look(state& at) { at.look(); }

void deadline_timer::look_at(void* later) { static_cast<state*>(later)->look(); }

bool deadline_timer::follows_clock_of(const asio::any_io_executor& executor) const {
  return state_->is_by(installed_clock(executor).get());
}

bool deadline_timer::is_for(const asio::any_io_executor& executor) const {
  return state_->runs_on(executor);
}

// An executor that counts as work would keep its context running.
std::shared_ptr<deadline_timer> deadline_timers::find_or_make(
    const asio::any_io_executor& executor) {
  const asio::any_io_executor on =
      asio::prefer(executor, asio::execution::outstanding_work.untracked);
  for (const auto& each : all_) {
    if (each->is_for(on) && each->follows_clock_of(on)) return each;
  }
  return std::make_shared<deadline_timer>(on, installed_clock(on));
}

std::shared_ptr<deadline_timer> deadline_timers::of(const asio::any_io_executor& executor) {
  const std::lock_guard lock(mutex_);
  auto found = find_or_make(executor);
  if (std::ranges::find(all_, found) == all_.end()) {
    std::erase_if(all_, [](const auto& each) { return each.use_count() == 1; });
    all_.push_back(found);
  }
  return found;
}

deadline_timer& deadline_timers::make_own(const asio::any_io_executor& executor) {
  const std::lock_guard lock(mutex_);
  for (const auto& each : own_all_) {
    if (!each->follows_clock_of(executor)) continue;
    own_.store(each.get(), std::memory_order_release);
    return *each;
  }
  auto made = find_or_make(executor);
  own_all_.push_back(made);
  own_.store(made.get(), std::memory_order_release);
  return *made;
}

}  // namespace msgbus::exec
