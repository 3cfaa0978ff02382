#include <msgbus/testing/manual_clock.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace msgbus::testing {

namespace {

constexpr auto never = manual_clock::time_point::max();

// The sum, but always before `never`.
manual_clock::time_point later(manual_clock::time_point from, manual_clock::duration by) {
  return std::min(detail::saturating_add(from, by), never - manual_clock::duration(1));
}

}  // namespace

class manual_clock::state final : public exec::clock {
 public:
  [[nodiscard]] time_point now() const noexcept override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  [[nodiscard]] bool add(std::shared_ptr<clock_waiter> waiting, time_point until) override {
    const std::lock_guard lock(mutex_);
    if (until <= now_) return false;
    waiting_.emplace(until, std::move(waiting));
    return true;
  }

  void remove(const clock_waiter& waiting) noexcept override {
    std::shared_ptr<clock_waiter> removed;  // destroyed without the lock
    const std::lock_guard lock(mutex_);
    for (auto each = waiting_.begin(); each != waiting_.end(); ++each) {
      if (each->second.get() != &waiting) continue;
      removed = std::move(each->second);
      waiting_.erase(each);
      return;
    }
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

  [[nodiscard]] std::optional<time_point> next() const {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || waiting_.begin()->first == never) return std::nullopt;
    return waiting_.begin()->first;
  }

  void advance_to(time_point to) {
    while (const std::shared_ptr<clock_waiter> due = take_due(to)) due->wake();
    const std::lock_guard lock(mutex_);
    if (now_ < to) now_ = to;
  }

 private:
  std::shared_ptr<clock_waiter> take_due(time_point by) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || waiting_.begin()->first > by) return nullptr;
    const auto first = waiting_.begin();
    now_ = std::max(now_, first->first);
    std::shared_ptr<clock_waiter> due = std::move(first->second);
    waiting_.erase(first);
    return due;
  }

  mutable std::mutex mutex_;
  time_point now_{std::chrono::hours(24)};  // not the epoch, which may mean "never"
  std::multimap<time_point, std::shared_ptr<clock_waiter>>
      waiting_;  // equal times in the order of `add`
};

manual_clock::manual_clock(asio::execution_context& context) : state_(std::make_shared<state>()) {
  exec::install_clock(context, state_);
}

manual_clock::manual_clock(stepping_context& context) : manual_clock(context.context()) {}

manual_clock::~manual_clock() = default;

manual_clock::time_point manual_clock::now() const noexcept { return state_->now(); }

std::size_t manual_clock::waiting() const { return state_->waiting(); }

std::optional<manual_clock::duration> manual_clock::until_next() const {
  const auto next = state_->next();
  if (!next) return std::nullopt;
  return *next - now();
}

void manual_clock::advance(duration by) { state_->advance_to(later(now(), by)); }

bool manual_clock::advance_to_next() {
  const auto next = state_->next();
  if (!next) return false;
  state_->advance_to(*next);
  return true;
}

void manual_clock::run_for(stepping_context& context, duration by) {
  const time_point end = later(now(), by);
  context.run();
  for (auto next = state_->next(); next && *next <= end; next = state_->next()) {
    state_->advance_to(*next);
    context.run();
  }
  state_->advance_to(end);
}

}  // namespace msgbus::testing
