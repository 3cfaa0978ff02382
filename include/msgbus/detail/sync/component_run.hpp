#pragma once

/// The run of one message to the handlers of one component.

#include <msgbus/detail/component/component_state.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/detail/routing/entry.hpp>

namespace msgbus::sync::detail {

/// The data that all handlers of a message share. Each receiving component sets `component`, under
/// its guard.
struct component_run {
  explicit component_run(value_ref value, const msgbus::context& ctx = no_context) noexcept
      : message(value), context(ctx) {}

  const value_ref message;
  const msgbus::context& context;
  const msgbus::component::component_state* component = nullptr;
  failures failed;

  [[nodiscard]] msgbus::step step() const noexcept { return {message.type->name, context.topic()}; }
};

/// Calls a handler. False if it does not accept the message's type. Throws the handler's exception,
/// or adds it to the failures of the run.
using call_handler = bool (*)(routing::entry&, component_run&);

/// Calls a handler of an event in its only receiving component. Throws the handler's exception, or
/// adds it to `failed` if given.
using call_plain = void (*)(routing::entry&, const void* event,
                            const msgbus::component::component_state&, failures* failed);

/// As above, for a handler of messages. False if the message is not exactly of the handler's type.
using call_plain_typed = bool (*)(routing::entry&, value_ref message,
                                  const msgbus::component::component_state&);

/// For a `catch (...)` around these calls: rethrows the caught exception. A forced unwind (of a
/// handler that calls `pthread_exit`, for example) is no exception and returns; the runtime then
/// ends the process at the end of the `catch`.
void pass_on_caught();

/// The sources of the injected values of the entry's handler.
inline component::injection injection_for(const routing::entry& entry,
                                          const component_run& d) noexcept {
  return {d.component->overrides_state(), d.context, {&entry, &component::describe_entry}};
}

/// As above, for a message without a context.
inline component::injection plain_injection(const routing::entry& entry,
                                            const msgbus::component::component_state& of) noexcept {
  return {of.overrides_state(), no_context, {&entry, &component::describe_entry}};
}

/// Calls one handler, if it is still attached (D4). Returns whether it accepted the message. Its
/// exception is added to the failures of the run (D2).
inline bool run_one(const routing::route_entry& route, component_run& d) {
  if (!route.entry->active()) return false;
  try {
    return reinterpret_cast<call_handler>(route.call)(*route.entry, d);
  } catch (...) {
    d.failed.add(std::current_exception());
    return true;
  }
}

/// `run_one`, and reports the outcome to the observer; with a tracer, the call has a span.
bool run_watched(const routing::route_entry& route, component_run& d, const attachments& by,
                 bool replayed = false);

/// Whether the publisher of a message has a tracer. The verb has one span: that of the sender if
/// the sender has a tracer, else that of the component.
enum class arrival { from_sender, from_traced_sender };

struct trace_start;  // "sync/trace_verb.hpp"

/// For a replay, whose component is set: as above, if the component is watched. The observer is
/// told of the message, too.
bool run_again(const routing::route_entry& route, component_run& d);

}  // namespace msgbus::sync::detail
