#include "bridge/answers.hpp"

namespace msgbus::bridging {

namespace {

void wake(const pending_replies::reply& one) noexcept {
  static_cast<timed_reply&>(*one).one_shot_event::set();
}

}  // namespace

pending_replies::key answers::add(const std::shared_ptr<timed_reply>& asked) {
  const std::lock_guard lock(mutex_);
  return waiting_.add(asked);
}

void answers::remove(pending_replies::key asked) noexcept {
  const std::lock_guard lock(mutex_);
  waiting_.give_up(asked);
}

bool answers::take(envelope&& message, bool) noexcept {
  pending_replies::reply asked;
  {
    const pending_replies::key of = key_in(message.topic, inbox_);
    const std::lock_guard lock(mutex_);
    asked = waiting_.answer(of, std::move(message));
  }
  if (asked) wake(asked);
  return true;
}

// Their answers are lost, or will be; those that are asked from now on are sent later.
void answers::interrupted() noexcept {
  std::vector<pending_replies::reply> left;
  {
    const std::lock_guard lock(mutex_);
    left = waiting_.interrupt({errc::disconnected, "the connection was lost"});
  }
  for (const auto& each : left) wake(each);
}

void answers::ended(const std::exception_ptr& why) noexcept {
  end_all({errc::transport_failed, describe(why)});
}

void answers::end_all(const pending_reply::ending& ending) noexcept {
  std::vector<pending_replies::reply> left;
  {
    const std::lock_guard lock(mutex_);
    left = waiting_.end(ending);
  }
  for (const auto& each : left) wake(each);
}

bool answers::has_ended() const {
  const std::lock_guard lock(mutex_);
  return waiting_.has_ended();
}

}  // namespace msgbus::bridging
