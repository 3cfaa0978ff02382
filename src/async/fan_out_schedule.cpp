#include "async/fan_out_schedule.hpp"

#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/core/durations.hpp>
#include <msgbus/error.hpp>

#include "async/scheduler.hpp"

#include <asio/co_spawn.hpp>

#include <exception>
#include <functional>

namespace msgbus::async::detail {

scheduled schedule_at(component_core& to, schedule_time at, exec::shared_message message) {
  const std::shared_ptr<scheduler> in = to.schedules().shared_from_this();
  scheduled_item item{.message = std::move(message), .ticket = {}, .every = {}};
  const auto key = in->add(to, at, item);
  if (key) return exec::scheduled_access::make(in, *key);
  to.refused(item.message->message(), item.message->topic());
  return {};
}

scheduled schedule_after(component_core& to, schedule_duration after,
                         exec::shared_message message) {
  return schedule_at(to, saturating_add(exec::now(to.executor()), after), std::move(message));
}

scheduled schedule_every(component_core& to, schedule_duration period, occurrence_maker maker,
                         const every_options& options) {
  auto made = std::make_shared<recurring>(period, std::move(maker), options.missed);
  const msgbus::step step = made->step();
  const std::shared_ptr<scheduler> in = to.schedules().shared_from_this();
  scheduled_item item{.message = {}, .ticket = {}, .every = made};
  const auto key = in->add(to, saturating_add(exec::now(to.executor()), period), item);
  if (key) return exec::scheduled_access::make(in, *key);
  to.refused(step);
  return {};
}

// --- one message -----------------------------------------------------------------------------

void fan_out_message::add(std::shared_ptr<scheduler> in, const exec::due_key& key) {
  const std::lock_guard lock(mutex_);
  members_.emplace_back(std::move(in), key);
  ++left_;
}

bool fan_out_message::begin() noexcept {
  const std::lock_guard lock(mutex_);
  if (state_ == state::cancelled) return false;
  state_ = state::begun;
  return true;
}

bool fan_out_message::give_up() noexcept {
  const std::lock_guard lock(mutex_);
  --left_;
  return state_ != state::cancelled;
}

bool fan_out_message::cancel(const exec::due_key&) noexcept {
  members cancelled;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != state::waiting || left_ == 0) return false;
    state_ = state::cancelled;
    cancelled.swap(members_);
  }
  // One that is not found is about to ask `begin` or `give_up`.
  for (const auto& [in, key] : cancelled) (void)in->cancel(key);
  return true;
}

bool fan_out_message::is_scheduled(const exec::due_key&) const noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& [in, key] : members_) {
    if (in->is_scheduled(key)) return true;
  }
  return false;
}

// --- recurring -------------------------------------------------------------------------------

fan_out_every::fan_out_every(const std::shared_ptr<fan_out_core>& from, schedule_duration every,
                             occurrence_maker makes, missed options)
    : recurring(every, std::move(makes), options), from_(from) {}

bool fan_out_every::settle_in(const component_core* except, schedule_duration after) {
  const std::shared_ptr<fan_out_core> from = from_.lock();
  for (const auto& each : from ? from->bound() : targets()) {
    if (each.get() == except || each->closed()) continue;
    scheduled_item item{.message = {}, .ticket = {}, .every = shared_from_this()};
    const std::shared_ptr<scheduler> in = each->schedules().shared_from_this();
    const std::lock_guard lock(mutex_);
    if (over_) return false;
    const auto key = in->add(*each, saturating_add(exec::now(each->executor()), after), item);
    if (!key) continue;
    in_ = in;
    at_ = *key;
    return true;
  }
  const std::lock_guard lock(mutex_);
  over_ = true;
  in_.reset();
  return false;
}

void fan_out_every::move_on(const component_core& from) noexcept {
  const auto now = exec::now(from.executor());
  (void)settle_in(&from, saturating_sub(next_due, now));  // or it is over
}

void fan_out_every::occur(const std::shared_ptr<component_core>& in, schedule_time was_due) {
  const std::shared_ptr<fan_out_core> from = from_.lock();
  if (!from) return;
  exec::shared_message message;
  try {
    message = make();
  } catch (...) {
    from->failed_to_make(step(), std::current_exception());
    return again_after(*in, was_due);
  }
  full_mailboxes full;
  (void)from->offer(message, &full);
  if (full.empty()) return again_after(*in, was_due);
  // The schedule of the component goes on meanwhile.
  asio::co_spawn(in->executor(),
                 send_rest(shared_from_this(), std::move(full), std::move(message), in, was_due),
                 [](std::exception_ptr failed) {
                   if (failed) std::rethrow_exception(failed);  // nothing else than bad_alloc
                 });
}

asio::awaitable<void> fan_out_every::send_rest(std::shared_ptr<fan_out_every> self,
                                               full_mailboxes full, exec::shared_message message,
                                               std::shared_ptr<component_core> in,
                                               schedule_time was_due) {
  auto sent = send_to_full(std::move(full), std::move(message));
  (void)co_await std::move(sent);
  self->again_after(*in, was_due);
}

void fan_out_every::again_after(component_core& in, schedule_time was_due) {
  const auto now = exec::now(in.executor());
  const schedule_time next = time_after(was_due, now);
  std::shared_ptr<scheduler> there;
  exec::due_key key;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    there = in_;
    key = at_;
  }
  std::shared_ptr<recurring> self = shared_from_this();
  if (there->again(in, key, next, self)) return;
  (void)settle_in(&in, saturating_sub(next, now));  // or it was cancelled
}

bool fan_out_every::cancel(const exec::due_key&) noexcept {
  std::shared_ptr<scheduler> there;
  exec::due_key key;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return false;
    over_ = true;
    there.swap(in_);
    key = at_;
  }
  if (there) (void)there->cancel(key);
  return true;
}

bool fan_out_every::is_scheduled(const exec::due_key&) const noexcept {
  const std::lock_guard lock(mutex_);
  return !over_;
}

// --- the verbs -------------------------------------------------------------------------------

namespace {

using time_for = std::function<schedule_time(const component_core&)>;

scheduled schedule(fan_out_core& from, const time_for& due, const exec::shared_message& message) {
  const targets all = from.chosen_for(message->message(), message->topic());
  if (all.empty()) from.count_unrouted({message->message().type->name, message->topic()});
  const bool is_one = all.size() == 1;
  const auto ticket = is_one ? nullptr : std::make_shared<fan_out_message>();
  scheduled one;
  for (const auto& each : all) {
    scheduled_item item{.message = message, .ticket = ticket, .every = {}};
    const std::shared_ptr<scheduler> in = each->schedules().shared_from_this();
    const auto key = in->add(*each, due(*each), item);
    if (!key) {
      each->refused(message->message(), message->topic());
    } else if (is_one) {
      one = exec::scheduled_access::make(in, *key);
    } else {
      ticket->add(in, *key);
    }
  }
  return is_one ? one : exec::scheduled_access::make(ticket, {});
}

}  // namespace

scheduled schedule_after(fan_out_core& from, schedule_duration after,
                         exec::shared_message message) {
  const auto due = [after](const component_core& in) {
    return saturating_add(exec::now(in.executor()), after);
  };
  return schedule(from, due, message);
}

scheduled schedule_at(fan_out_core& from, schedule_time at, exec::shared_message message) {
  return schedule(from, [at](const component_core&) { return at; }, message);
}

scheduled schedule_every(fan_out_core& from, schedule_duration period, occurrence_maker maker,
                         const every_options& options) {
  const auto self = std::static_pointer_cast<fan_out_core>(from.shared_from_this());
  auto made = std::make_shared<fan_out_every>(self, period, std::move(maker), options.missed);
  if (!made->settle_in(nullptr, period)) {
    throw error(errc::unsupported, "every() of " + made->maker.message +
                                       " needs the clock of a bound component, and no open one is "
                                       "bound: call bind() first");
  }
  from.keep(made);
  return exec::scheduled_access::make(std::move(made), {});
}

}  // namespace msgbus::async::detail
