#include "async/host_state.hpp"

#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>

#include "async/host_machine.hpp"
#include "core/print.hpp"

#include <algorithm>
#include <string>
#include <utility>

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

host_state::host_state(const asio::any_io_executor& executor) : executor_(executor) {
  if (!link(executor)) executor_ = {};
}

asio::any_io_executor host_state::executor() const {
  const std::lock_guard lock(mutex_);
  return executor_;
}

void host_state::context_ended() noexcept {
  asio::any_io_executor gone;
  const std::lock_guard lock(mutex_);
  std::swap(gone, executor_);
}

void host_state::add(std::shared_ptr<host_member> added) {
  const std::string& name = added->name();
  if (name.empty()) {
    throw error(errc::bad_arguments,
                "a host was given a " + std::string(added->kind()) + " without a name");
  }
  const std::lock_guard lock(mutex_);
  if (!machine_.accepts()) {
    throw error(errc::closed, "the host is ending and takes no " + std::string(added->kind()) +
                                  " named " + msgbus::detail::quoted(name));
  }
  const auto same = std::ranges::find(members_, name, &host_member::name);
  if (same != members_.end()) {
    throw error(errc::bad_arguments, "the host has a " + std::string((*same)->kind()) + " named " +
                                         msgbus::detail::quoted(name) +
                                         " already: each member needs its own name");
  }
  added->give_name();
  members_.push_back(std::move(added));
}

host_members host_state::all() const {
  const std::lock_guard lock(mutex_);
  return members_;
}

void host_state::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    machine_.stop();
  }
  stopped_.set();
}

void host_state::stop_now() noexcept {
  std::shared_ptr<exec::task_group> interrupted;
  {
    const std::lock_guard lock(mutex_);
    machine_.hurry();
    interrupted = running_;
  }
  stopped_.set();
  if (interrupted) interrupted->cancel(asio::cancellation_type::terminal);
}

bool host_state::is_stopped() const noexcept {
  const std::lock_guard lock(mutex_);
  return machine_.stopped();
}

void host_state::host_destroyed() noexcept {
  const std::lock_guard lock(mutex_);
  host_destroyed_ = true;
}

host_progress host_state::progress() const noexcept {
  const std::lock_guard lock(mutex_);
  if (machine_.is_done() || (host_destroyed_ && !machine_.has_begun())) return host_progress::ended;
  return machine_.stopped() ? host_progress::ending : host_progress::serving;
}

void host_state::signalled() noexcept {
  if (is_stopped()) {
    stop_now();
  } else {
    stop();
  }
}

bool host_state::begin(host_machine::duration deadline) {
  const std::lock_guard lock(mutex_);
  return machine_.begin(deadline);
}

host_state::next_step host_state::next(host_machine::time_point now,
                                       const std::shared_ptr<exec::task_group>& group) {
  const std::lock_guard lock(mutex_);
  const host_machine::step step = machine_.next(now, members_.size());
  const bool has_member =
      step.action == host_machine::act::end_intake || step.action == host_machine::act::drain;
  running_ = has_member ? group : nullptr;
  return {step, has_member ? members_[step.member] : nullptr};
}

bool host_state::hurried() const {
  const std::lock_guard lock(mutex_);
  return machine_.hurried();
}

void host_state::ended(bool interrupted) {
  const std::lock_guard lock(mutex_);
  running_.reset();
  machine_.ended(interrupted);
}

void host_state::give_up() {
  const std::lock_guard lock(mutex_);
  running_.reset();
  machine_.give_up();
}

host_machine::duration host_state::took(host_machine::time_point now) const {
  const std::lock_guard lock(mutex_);
  return machine_.took(now);
}

}  // namespace msgbus::async::detail
