#include <msgbus/rate_limit.hpp>

#include <msgbus/failure.hpp>

#include "policy/checks.hpp"
#include "policy/limiter_access.hpp"

namespace msgbus {

namespace {

detail::token_bucket bucket_of(const rate_limit& given) {
  detail::check_limiter(given);
  return {given.permits, given.per, given.burst == 0 ? given.permits : given.burst};
}

}  // namespace

rate_limiter::rate_limiter(const rate_limit& settings) : bucket_(bucket_of(settings)) {}

std::size_t rate_limiter::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_count_;
}

namespace detail {

limiter_access::answer limiter_access::enter(rate_limiter& to, time_point now, duration at_most) {
  using kind = answer::kind;
  const std::lock_guard lock(to.mutex_);
  if (to.waiting_count_ == 0 && to.bucket_.try_take(now)) return {kind::taken, duration::zero()};
  const duration after = to.bucket_.until_available(to.waiting_count_ + 1, now);
  if (after > at_most) return {kind::refused, after};
  ++to.waiting_count_;
  return {kind::in_line, after};
}

bool limiter_access::try_take(rate_limiter& from, time_point now) {
  const std::lock_guard lock(from.mutex_);
  return from.waiting_count_ == 0 && from.bucket_.try_take(now);
}

limiter_access::duration limiter_access::wait(const rate_limiter& of, time_point now) {
  const std::lock_guard lock(of.mutex_);
  return of.bucket_.until_available(of.waiting_count_ + 1, now);
}

limiter_access::duration limiter_access::take(rate_limiter& from, time_point now) {
  const std::lock_guard lock(from.mutex_);
  if (!from.bucket_.try_take(now)) return from.bucket_.until_available(1, now);
  --from.waiting_count_;
  return duration::zero();
}

void limiter_access::leave_line(rate_limiter& of) noexcept {
  const std::lock_guard lock(of.mutex_);
  --of.waiting_count_;
}

std::exception_ptr limiter_access::refusal(duration after) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(after).count();
  return std::make_exception_ptr(refused_error(
      errc::rate_limited,
      "the rate limit has no permit in time: it would take " + std::to_string(ms) + " ms", after));
}

attached_waiters& limiter_access::waiting(rate_limiter& of) noexcept { return of.waiting_; }

}  // namespace detail

}  // namespace msgbus
