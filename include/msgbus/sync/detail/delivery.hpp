#pragma once

/// One message on its way through the handlers of one component.

#include <msgbus/component/parts.hpp>
#include <msgbus/core/failures.hpp>
#include <msgbus/core/type_key.hpp>
#include <msgbus/di/inject.hpp>
#include <msgbus/routing/entry.hpp>

namespace msgbus::sync::detail {

/// What the handlers of a message share. Each component that the message comes to enters its parts
/// here, while it holds a guard.
struct delivery {
  explicit delivery(value_ref what, const msgbus::context& known = no_context) noexcept
      : message(what), context(known) {}

  const value_ref message;
  const msgbus::context& context;
  const msgbus::component::parts* component = nullptr;
  failures failed;

  [[nodiscard]] msgbus::step step() const noexcept { return {message.type->name, context.topic()}; }
};

/// Calls a handler. False if it does not take the message's type. Throws what the handler throws,
/// or adds it to the delivery's failures.
using call_handler = bool (*)(routing::entry&, delivery&);

/// Calls a handler of an event for the only component that it comes to. Throws what the handler
/// throws, or adds it to `failed` if that is given.
using call_plain = void (*)(routing::entry&, const void* event, const msgbus::component::parts&,
                            failures* failed);

/// The same for a handler of messages. False if the message is not exactly of the handler's type.
using call_plain_typed = bool (*)(routing::entry&, value_ref message,
                                  const msgbus::component::parts&);

/// For a `catch (...)` around one of those: throws on what was caught. A handler that ends its
/// thread by force is no exception: the process ends with the `catch`.
void pass_on_caught();

/// What `entry`'s handler draws its needs from.
inline di::injection injection_for(const routing::entry& entry, const delivery& d) noexcept {
  return {d.component->overrides_state(), d.context, {&entry, &component::describe_entry}};
}

/// The same where the message has no context.
inline di::injection plain_injection(const routing::entry& entry,
                                     const msgbus::component::parts& of) noexcept {
  return {of.overrides_state(), no_context, {&entry, &component::describe_entry}};
}

}  // namespace msgbus::sync::detail
