#include <msgbus/detail/policy/token_bucket.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>

namespace msgbus::detail {

namespace {

using duration = token_bucket::duration;

/// `each * times`, or the longest that there is.
duration multiplied(duration each, std::size_t times) noexcept {
  if (each == duration::zero()) return each;
  const auto fit = static_cast<std::uint64_t>(duration::max() / each);
  return times > fit ? duration::max() : each * static_cast<duration::rep>(times);
}

duration interval_of(std::size_t permits, duration per) noexcept {
  if (permits == 0 || per <= duration::zero()) return duration::zero();
  const auto n = static_cast<std::uint64_t>(permits);
  const auto ticks = static_cast<std::uint64_t>(per.count());
  return duration(static_cast<duration::rep>(ticks / n + (ticks % n == 0 ? 0 : 1)));
}

}  // namespace

token_bucket::token_bucket(std::size_t permits, duration per, std::size_t burst) noexcept
    : gives_any_(permits != 0),
      interval_(interval_of(permits, per)),
      tolerance_(multiplied(interval_, burst == 0 ? 0 : burst - 1)) {}

bool token_bucket::try_take(time_point now) noexcept {
  if (!gives_any_) return false;
  bring_back(now);
  const time_point from = std::max(full_at_, now);
  if (saturating_sub(from, now) > tolerance_) return false;
  full_at_ = saturating_add(from, interval_);
  return true;
}

duration token_bucket::until_available(std::size_t many, time_point now) const noexcept {
  if (!gives_any_) return duration::max();
  if (many == 0) return duration::zero();
  token_bucket asked = *this;
  asked.bring_back(now);
  const duration ahead = saturating_sub(std::max(asked.full_at_, now), now);
  // Each permit before the last moves the time on.
  const duration before = multiplied(interval_, many - 1);
  const duration sum = ahead > duration::max() - before ? duration::max() : ahead + before;
  return std::max(duration::zero(), sum - tolerance_);
}

void token_bucket::bring_back(time_point now) noexcept {
  // With a clock that never goes back the bucket is never emptier than after a full burst.
  const duration longest =
      tolerance_ > duration::max() - interval_ ? duration::max() : tolerance_ + interval_;
  full_at_ = std::min(full_at_, saturating_add(now, longest));
}

}  // namespace msgbus::detail
