#include <msgbus/detail/async/scheduling.hpp>

#include <msgbus/detail/core/durations.hpp>

#include "async/scheduler.hpp"

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

}  // namespace msgbus::async::detail
