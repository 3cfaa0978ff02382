#include "progress.hpp"

#include <algorithm>
#include <utility>

namespace msgbus::nats {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds shortest_period = 1ms;
constexpr std::chrono::nanoseconds while_away = 100ms;

}  // namespace

progress::entry::entry(std::shared_ptr<progress> in, const std::string& ack_topic)
    : in_(std::move(in)),
      ack_topic_(ack_topic),
      due_(std::chrono::steady_clock::now() + in_->period_) {
  const auto by = in_->by_.lock();  // its end waits for its thread: not under the lock
  const std::lock_guard lock(in_->mutex_);
  if (!in_->looks_) in_->look_at(by, due_);
  in_->append(*this);
}

void progress::entry::remove() noexcept {
  if (!is_listed_) return;
  is_listed_ = false;
  const std::lock_guard lock(in_->mutex_);
  in_->unlink(*this);
}

progress::progress(std::shared_ptr<link> over, const std::shared_ptr<worker>& by,
                   std::chrono::nanoseconds ack_wait)
    : over_(std::move(over)),
      by_(by),
      // An hour is as good as more, and can be added to any time.
      period_(std::clamp<std::chrono::nanoseconds>(ack_wait / 3, shortest_period, 1h)),
      between_looks_(period_ / 4) {}

void progress::append(entry& added) noexcept {
  added.before_ = last_;
  added.after_ = nullptr;
  (last_ ? last_->after_ : first_) = &added;
  last_ = &added;
}

void progress::unlink(entry& removed) noexcept {
  (removed.before_ ? removed.before_->after_ : first_) = removed.after_;
  (removed.after_ ? removed.after_->before_ : last_) = removed.before_;
}

void progress::look_at(const std::shared_ptr<worker>& by, time_point when) {
  if (!by) return;
  by->at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
  looks_ = true;
}

// The lock is held while something is sent, so that a delivery is settled after the last word of
// its progress; and for one at a time, so that others may settle theirs.
void progress::look() noexcept {
  const auto now = std::chrono::steady_clock::now();
  const bool is_away = over_->is_away();
  const auto by = by_.lock();
  for (;;) {
    const std::lock_guard lock(mutex_);
    looks_ = false;
    if (first_ == nullptr) return;
    if (is_away) return look_at(by, now + std::min(while_away, between_looks_));
    if (first_->due_ > now) return look_at(by, std::max(first_->due_, now + between_looks_));
    entry& told = *first_;
    unlink(told);
    told.due_ = now + period_;
    append(told);
    over_->send(told.ack_topic_, {}, "+WPI");
  }
}

}  // namespace msgbus::nats
