#pragma once

/// From the verbs `send_after`, `send_at` and `every` to the schedules of components
/// (docs/design/0023-schedules.md). Every function may be called from any thread.

#include <msgbus/detail/async/component_core.hpp>
#include <msgbus/detail/async/fan_out_core.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/exec/queued_message.hpp>
#include <msgbus/detail/exec/send_operation.hpp>
#include <msgbus/scheduled.hpp>

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace msgbus::async::detail {

using schedule_time = exec::clock::time_point;
using schedule_duration = exec::clock::duration;

/// The function that makes the messages of a recurring schedule, and their name in errors.
struct occurrence_maker {
  std::function<exec::shared_message()> make;
  std::string message;
  std::string topic = {};
};

// A closed component rejects the message; the handle is then done.

scheduled schedule_after(component_core& to, schedule_duration after, exec::shared_message message);
scheduled schedule_at(component_core& to, schedule_time at, exec::shared_message message);
/// Throws `bad_arguments` unless the period is above zero.
scheduled schedule_every(component_core& to, schedule_duration period, occurrence_maker maker,
                         const every_options& options);

// Adds the message to the schedule of each currently bound component; without one, it is unrouted.

scheduled schedule_after(fan_out_core& from, schedule_duration after, exec::shared_message message);
scheduled schedule_at(fan_out_core& from, schedule_time at, exec::shared_message message);
/// Also throws `unsupported` if no open component is bound.
scheduled schedule_every(fan_out_core& from, schedule_duration period, occurrence_maker maker,
                         const every_options& options);

/// An event for a schedule, with the currently handled message as its cause.
template <class E>
[[nodiscard]] exec::shared_message scheduled_event(E event) {
  exec::send_operation out = exec::event_send_operation(event);
  out.prepare(false);
  return std::move(out.shared());
}

/// The same for a message with a topic, which is valid.
template <class M>
[[nodiscard]] exec::shared_message scheduled_message(M message, std::string topic) {
  exec::send_operation out = exec::message_send_operation(message, topic);
  out.prepare(false);
  return std::move(out.shared());
}

/// Whether `F` can make the events of a recurring schedule.
template <class F>
concept makes_events =
    requires(F& make) { make(); } && !std::is_void_v<decltype(std::declval<F&>()())>;

template <class F>
[[nodiscard]] occurrence_maker event_maker(F make) {
  static_assert(makes_events<F>,
                "msgbus: every() needs a function without parameters that returns the event");
  if constexpr (makes_events<F>) {
    using E = std::decay_t<decltype(make())>;
    return {[make = std::move(make)]() mutable { return scheduled_event<E>(make()); },
            std::string(key_of<E>->name)};
  }
}

template <class F>
[[nodiscard]] occurrence_maker message_maker(F make, std::string_view topic) {
  static_assert(makes_events<F>,
                "msgbus: every() needs a function without parameters that returns the message");
  if constexpr (makes_events<F>) {
    using M = std::decay_t<decltype(make())>;
    return {[make = std::move(make), topic = std::string(topic)]() mutable {
              return scheduled_message<M>(make(), topic);
            },
            std::string(key_of<M>->name), std::string(topic)};
  }
}

}  // namespace msgbus::async::detail
