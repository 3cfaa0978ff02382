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

/// What `entry`'s handler draws its needs from.
inline di::injection injection_for(const routing::entry& entry, const delivery& d) noexcept {
  return {d.component->overrides_state, d.context, {&entry, &component::describe_entry}};
}

}  // namespace msgbus::sync::detail
