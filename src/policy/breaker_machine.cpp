#include <msgbus/detail/policy/breaker_machine.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>

namespace msgbus::detail {

namespace {

breaker_machine::settings checked(breaker_machine::settings asked) noexcept {
  asked.failure_ratio = std::clamp(asked.failure_ratio, 0.0, 1.0);
  asked.minimum = std::max<std::size_t>(asked.minimum, 1);
  asked.sampling = std::max(asked.sampling, breaker_machine::duration(10));
  asked.open_for = std::max(asked.open_for, breaker_machine::duration(1));
  asked.max_open_for = std::max(asked.max_open_for, asked.open_for);
  asked.half_open_permits = std::max<std::size_t>(asked.half_open_permits, 1);
  return asked;
}

}  // namespace

breaker_machine::breaker_machine(const settings& asked) noexcept
    : settings_(checked(asked)),
      bucket_length_(settings_.sampling / static_cast<duration::rep>(buckets)) {}

bool breaker_machine::may_enter(time_point now) const noexcept {
  switch (phase_) {
    case breaker_phase::closed: return true;
    case breaker_phase::open: return now >= until_;
    case breaker_phase::half_open: return permits_ != 0 && now < until_;
    case breaker_phase::isolated: break;
  }
  return false;
}

bool breaker_machine::try_enter(time_point now, ticket& given) noexcept {
  if (phase_ == breaker_phase::half_open && now >= until_) {
    // Its probes are not coming back. Others are tried, after a pause that does not grow for it.
    openings_ -= openings_ == 0 ? 0 : 1;
    open(now);
  }
  if (phase_ == breaker_phase::open && now >= until_) {
    enter(breaker_phase::half_open);
    permits_ = settings_.half_open_permits;
    successes_ = 0;
    until_ = saturating_add(now, settings_.max_open_for);
  }
  switch (phase_) {
    case breaker_phase::closed: given = {generation_, false}; return true;
    case breaker_phase::half_open:
      if (permits_ == 0) return false;
      --permits_;
      given = {generation_, true};
      return true;
    case breaker_phase::open:
    case breaker_phase::isolated: break;
  }
  return false;
}

void breaker_machine::leave(const ticket& given, verdict result, time_point now) noexcept {
  if (given.generation != generation_) return;
  if (!given.is_probe) {
    if (result == verdict::ignored) return;
    count(result == verdict::failed, now);
    if (result == verdict::failed && fails_too_often(now)) open(now);
    return;
  }
  switch (result) {
    case verdict::ignored: ++permits_; return;
    case verdict::failed: open(now); return;
    case verdict::succeeded:
      if (++successes_ == settings_.half_open_permits) close(now);
      return;
  }
}

breaker_machine::time_point breaker_machine::retry_at() const noexcept {
  switch (phase_) {
    case breaker_phase::closed: return time_point::min();
    case breaker_phase::open:
    case breaker_phase::half_open: return until_;
    case breaker_phase::isolated: break;
  }
  return time_point::max();
}

void breaker_machine::isolate() noexcept {
  if (phase_ != breaker_phase::isolated) enter(breaker_phase::isolated);
}

void breaker_machine::reset() noexcept {
  openings_ = 0;
  if (phase_ == breaker_phase::closed) {
    forget_calls();
  } else {
    enter(breaker_phase::closed);
  }
}

void breaker_machine::enter(breaker_phase phase) noexcept {
  phase_ = phase;
  ++generation_;
  forget_calls();
}

void breaker_machine::forget_calls() noexcept {
  window_ = {};
  latest_ = buckets;
}

void breaker_machine::open(time_point now) noexcept {
  if (phase_ == breaker_phase::closed && openings_ != 0 &&
      saturating_sub(now, closed_at_) >= settings_.sampling) {
    openings_ = 0;  // it was closed for long: this is a new trouble
  }
  duration pause = settings_.open_for;
  for (std::size_t n = 0; n < openings_ && pause < settings_.max_open_for; ++n) {
    pause = pause > settings_.max_open_for / 2 ? settings_.max_open_for : pause * 2;
  }
  if (pause < settings_.max_open_for) ++openings_;
  enter(breaker_phase::open);
  until_ = saturating_add(now, pause);
}

void breaker_machine::close(time_point now) noexcept {
  enter(breaker_phase::closed);
  closed_at_ = now;
}

std::int64_t breaker_machine::number_at(time_point now) const noexcept {
  return now.time_since_epoch() / bucket_length_;
}

breaker_machine::bucket& breaker_machine::bucket_at(time_point now) noexcept {
  // Two divisions are a good part of what a call costs.
  if (latest_ != buckets && now >= latest_from_ &&
      saturating_sub(now, latest_from_) < bucket_length_) {
    return window_[latest_];
  }
  const std::int64_t number = number_at(now);
  latest_ = static_cast<std::uint64_t>(number) % buckets;
  latest_from_ = time_point(bucket_length_ * number);
  bucket& at = window_[latest_];
  if (at.number != number) at = {number, 0, 0};
  return at;
}

void breaker_machine::count(bool failed, time_point now) noexcept {
  bucket& at = bucket_at(now);
  ++at.calls;
  if (failed) ++at.failures;
}

bool breaker_machine::fails_too_often(time_point now) const noexcept {
  const std::int64_t last = number_at(now);
  const std::int64_t first = last - static_cast<std::int64_t>(buckets) + 1;
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  for (const bucket& each : window_) {
    if (each.number < first || each.number > last) continue;
    calls += each.calls;
    failures += each.failures;
  }
  return calls >= settings_.minimum &&
         static_cast<double>(failures) >= settings_.failure_ratio * static_cast<double>(calls);
}

}  // namespace msgbus::detail
