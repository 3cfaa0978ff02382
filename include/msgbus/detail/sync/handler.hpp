#pragma once

/// Handlers of events and of messages: from the user's callable to an entry in a route.

#include <msgbus/detail/component/handler_entry.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/core/convert.hpp>
#include <msgbus/detail/sync/component_run.hpp>

#include <array>
#include <optional>

namespace msgbus::sync::detail {

/// `component::checked`, and a check that the handler is no coroutine.
template <class F, class M>
struct checked : component::checked<signature_for<F, M>, M> {
  static_assert(!awaitable_result<typename checked::result>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");
};

/// Calls `f` with the message as the type of its first parameter, and with its injected parameters.
template <class M, class F>
void invoke(F& f, const M& message, const component::injection& with, failures* failed) {
  using check = checked<F, M>;
  auto call = [&](auto&&... needed) {
    if constexpr (std::is_same_v<std::remove_cvref_t<typename check::first>, any_event>) {
      (void)f(any_event(value_ref::to(message)), std::forward<decltype(needed)>(needed)...);
    } else {
      (void)f(message, std::forward<decltype(needed)>(needed)...);
    }
  };
  if constexpr (check::fits) check::needs::run(with, call, failed);
}

template <class M, class F>
void invoke(F& f, const M& message, routing::entry& entry, component_run& d) {
  invoke(f, message, injection_for(entry, d), &d.failed);
}

/// Calls `f`, which takes any type, with an erased message.
template <class F>
void invoke_any(F& f, routing::entry& entry, component_run& d) {
  using check = checked<F, any_event>;
  auto call = [&](auto&&... needed) {
    (void)f(any_event(d.message), std::forward<decltype(needed)>(needed)...);
  };
  if constexpr (check::fits) check::needs::run(injection_for(entry, d), call, &d.failed);
}

template <class F, class E>
bool call_event(routing::entry& entry, component_run& d) {
  F& f = component::callable_in<F, component::event_entry>(entry);
  if constexpr (std::is_same_v<E, any_event>) {
    invoke_any(f, entry, d);
  } else {
    invoke(f, *static_cast<const E*>(d.message.data), entry, d);
  }
  return true;
}

template <class F, class E>
void call_plain_event(routing::entry& entry, const void* event,
                      const component::component_state& of, failures* failed) {
  F& f = component::callable_in<F, component::event_entry>(entry);
  invoke(f, *static_cast<const E*>(event), plain_injection(entry, of), failed);
}

template <class F, class M>
bool call_plain_message(routing::entry& entry, value_ref message,
                        const component::component_state& of) {
  if (!is_type<M>(message.type)) return false;
  F& f = component::callable_in<F, component::message_entry>(entry);
  invoke(f, *static_cast<const M*>(message.data), plain_injection(entry, of), nullptr);
  return true;
}

/// Whether `F` has a `plain` call for messages of the types `Ms`, whose context has a topic.
template <class F, class... Ms>
consteval bool is_plain() {
  if constexpr (sizeof...(Ms) == 1) {
    if constexpr ((checked<F, Ms>::fits && ...)) {
      return (!checked<F, Ms>::needs::has_context && ...);
    }
  }
  return false;
}

/// The calls of `F` for events of the types `Es`, or of every type if there are none.
template <class F, class... Es>
std::span<const routing::typed_call> event_calls() {
  using erased = void (*)();
  if constexpr (sizeof...(Es) == 0) {
    static const std::array all{
        routing::typed_call{nullptr, reinterpret_cast<erased>(&call_event<F, any_event>)}};
    return all;
  } else {
    static const std::array all{
        routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call_event<F, Es>),
                            reinterpret_cast<erased>(&call_plain_event<F, Es>)}...};
    return all;
  }
}

template <class F, class M>
consteval component::handler_facts facts_for() {
  if constexpr (component::checked<signature_for<F, M>, M>::fits) {
    return {component::checked<signature_for<F, M>, M>::needs::listed(), false, nullptr};
  } else {
    return {};
  }
}

/// The facts about a handler of these types; its parameters behind the message are the same for
/// each.
template <class F, class... Ms>
struct handler_facts_of {
  static constexpr component::handler_facts value = facts_for<F, any_event>();
};
template <class F, class M, class... Ms>
struct handler_facts_of<F, M, Ms...> {
  static constexpr component::handler_facts value = facts_for<F, M>();
};

template <class F, class M>
bool call_exact(F& f, routing::entry& entry, component_run& d) {
  if (!is_type<M>(d.message.type)) return false;
  invoke(f, *static_cast<const M*>(d.message.data), entry, d);
  return true;
}

template <class F, class M>
bool call_converted(F& f, routing::entry& entry, component_run& d) {
  if constexpr (conversion_target<M>) {
    if (const std::optional<M> message = converted<M>(d.message)) {
      invoke(f, *message, entry, d);
      return true;
    }
  }
  return false;
}

/// Calls `F` with messages of the types `Ms`, or of every type if there are none. An exact match
/// comes before any conversion (T5).
template <class F, class... Ms>
bool call_message(routing::entry& entry, component_run& d) {
  F& f = component::callable_in<F, component::message_entry>(entry);
  if constexpr (sizeof...(Ms) == 0) {
    invoke_any(f, entry, d);
    return true;
  } else {
    return (call_exact<F, Ms>(f, entry, d) || ...) || (call_converted<F, Ms>(f, entry, d) || ...);
  }
}

template <class F, class... Ms>
component::message_calls message_calls() noexcept {
  component::message_calls calls{reinterpret_cast<void (*)()>(&call_message<F, Ms...>),
                                 component::keys_of<Ms...>};
  if constexpr (is_plain<F, Ms...>()) {
    calls.plain = reinterpret_cast<void (*)()>(&call_plain_message<F, Ms...>);
  }
  return calls;
}

}  // namespace msgbus::sync::detail
