#include <msgbus/detail/async/host_machine.hpp>

#include <msgbus/detail/core/durations.hpp>

#include <algorithm>

namespace msgbus::async::detail {

bool host_machine::begin(duration deadline) noexcept {
  if (phase_ != phase::idle) return false;
  phase_ = phase::serving;
  deadline_ = deadline;
  return true;
}

host_machine::step host_machine::next(time_point now, std::size_t members) noexcept {
  if (phase_ == phase::serving) {
    if (!stopped_) return {};
    phase_ = phase::intake;
    ending_ = true;
    at_ = 0;
    began_ending_ = now;
  }
  if (phase_ == phase::intake && at_ >= members) {
    phase_ = phase::draining;
    at_ = 0;
  }
  if (phase_ == phase::draining && at_ >= members) phase_ = phase::done;
  if (phase_ == phase::done || !began_ending_) return {act::finish, 0, {}};
  const time_point until = saturating_add(*began_ending_, deadline_);
  const duration left =
      hurried_ ? duration::zero() : std::max(saturating_sub(until, now), duration::zero());
  return {phase_ == phase::intake ? act::end_intake : act::drain, at_, left};
}

}  // namespace msgbus::async::detail
