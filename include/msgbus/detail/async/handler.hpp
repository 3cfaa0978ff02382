#pragma once

/// Handlers of events and of messages: from the user's callable, plain or a coroutine, to an entry
/// in a route.

#include <msgbus/detail/async/handler_call.hpp>
#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/core/convert.hpp>
#include <msgbus/detail/exec/inject.hpp>

#include <array>
#include <optional>

namespace msgbus::async::detail {

// The source of a handler's first parameter; it exists as long as the call.
template <class M>
struct the_message {
  static the_message from(value_ref m) { return {static_cast<const M*>(m.data)}; }
  [[nodiscard]] const M& get() const noexcept { return *message; }
  const M* message;
};
struct any_message {
  static any_message from(value_ref m) { return {any_event(m)}; }
  [[nodiscard]] const any_event& get() const noexcept { return event; }
  any_event event;
};
template <class View, class M>
struct one_of_message {
  static one_of_message from(value_ref m) { return {View(*static_cast<const M*>(m.data))}; }
  [[nodiscard]] const View& get() const noexcept { return view; }
  View view;
};
template <class M>
struct converted_message {
  static converted_message from(value_ref m) { return {*converted<M>(m)}; }
  [[nodiscard]] const M& get() const noexcept { return message; }
  M message;
};

template <class T>
inline constexpr bool is_one_of = false;
template <class... Ts>
inline constexpr bool is_one_of<one_of<Ts...>> = true;

template <class First, class M>
using exact_message = std::conditional_t<
    std::is_same_v<First, any_event>, any_message,
    std::conditional_t<is_one_of<First>, one_of_message<First, M>, the_message<M>>>;

/// A handler with its message, to be called with its injected parameters.
template <class F, class Message>
struct bound_call {
  template <class... Needed>
  decltype(auto) operator()(Needed&&... needed) const {
    return (*f)(message.get(), std::forward<Needed>(needed)...);
  }
  F* f;
  Message message;
};

template <class R>
inline constexpr bool is_awaitable = false;
template <class T>
inline constexpr bool is_awaitable<asio::awaitable<T>> = true;

/// The call of `F` for an `M`; for `any_event`, for every type.
template <class F, class M>
struct invocation {
  using check = component::checked<signature_for<F, M>, M>;
  using result = typename check::result;
  using plain_needs = typename check::needs;
  using needs = typename exec::async_of<plain_needs>::type;
  static constexpr bool is_coroutine = awaitable_result<result>;
  static_assert(!is_coroutine || is_awaitable<result>,
                "msgbus: a handler that is awaited returns asio::awaitable<T>, with its usual "
                "executor");
  static_assert(!is_coroutine || !needs::has_reference,
                "msgbus: a coroutine takes depends<...> by value: a reference would dangle before "
                "the coroutine runs");
  static_assert(!is_coroutine || !needs::has_clean_up,
                "msgbus: a coroutine handler needs a dependency that cleans up with msgbus::yield, "
                "which cannot wait for it; let it clean up with async::yield");
  static_assert(
      is_coroutine || !needs::has_async || !needs::has_clean_up,
      "msgbus: a handler that needs an awaitable dependency cannot also need one that "
      "cleans up with msgbus::yield, which cannot wait; let it clean up with async::yield");
  using exact = exact_message<std::remove_cvref_t<typename check::first>, M>;

  template <class Message>
  static step_taken run(const handler_in_hand& which, component_run& d,
                        asio::awaitable<void>* start) {
    if constexpr (!is_coroutine && !needs::has_async) {
      if (!start && (needs::needs_nothing || !must_suspend(needs::erased(), d))) {
        if (which.policy) return run_guarded(which, d, &run_inline<Message>);
        run_inline<Message>(which.f, d.message, d.injection_for(which.entry), d.failed);
        return step_taken::ran;
      }
    }
    return start_handler(erased<Message>, which, d, start);
  }

  template <class Message>
  static void run_inline(void* f, value_ref message, const component::injection& with,
                         failures& failed) {
    const bound_call<F, Message> call{static_cast<F*>(f), Message::from(message)};
    if constexpr (needs::needs_nothing) {
      (void)needs::call_bare(call, with.context);
    } else {
      auto plainly = [&](auto&&... needed) {
        (void)call(std::forward<decltype(needed)>(needed)...);
      };
      plain_needs::run(with, plainly, &failed);
    }
  }

 private:
  template <class Message>
  static void call(void* f, value_ref message, void* const* needed, const context& ctx,
                   asio::awaitable<void>* start) {
    bound_call<F, Message> bound{static_cast<F*>(f), Message::from(message)};
    if constexpr (!is_coroutine) {
      (void)needs::call_with(bound, needed, ctx);
    } else if constexpr (std::is_same_v<result, asio::awaitable<void>> &&
                         std::is_same_v<Message, the_message<M>>) {
      *start = needs::call_with(bound, needed, ctx);
    } else {
      *start = keep_and_await(std::move(bound), needed, ctx);
    }
  }

  template <class Call>
  static asio::awaitable<void> keep_and_await(Call call, void* const* needed, const context& ctx) {
    (void)co_await needs::call_with(call, needed, ctx);
  }

  template <class Message>
  static constexpr handler_call erased{&call<Message>, needs::erased(), is_coroutine};
};

template <class F, class E>
step_taken call_event(routing::entry& entry, component_run& d, asio::awaitable<void>* start) {
  using as = invocation<F, E>;
  return as::template run<typename as::exact>(handler_in_hand(static_cast<event_entry&>(entry)), d,
                                              start);
}

/// The faster call of an `Entry`'s `F` for an `M`; null for a handler that may suspend.
template <class Entry, class F, class M>
constexpr auto shorter_way() noexcept -> void (*)() {
  using as = invocation<F, M>;
  if constexpr (as::is_coroutine || as::needs::has_async) {
    return nullptr;
  } else {
    const call_inline call = [](routing::entry& entry, value_ref message,
                                const component::injection& with, failures& failed) {
      void* const f = static_cast<Entry&>(entry).callable();
      as::template run_inline<typename as::exact>(f, message, with, failed);
    };
    return reinterpret_cast<void (*)()>(call);
  }
}

/// The calls of `F` for events of the types `Es`, or of every type if there are none.
template <class F, class... Es>
std::span<const routing::typed_call> event_calls() {
  using erased = void (*)();
  if constexpr (sizeof...(Es) == 0) {
    static const std::array all{
        routing::typed_call{nullptr, reinterpret_cast<erased>(&call_event<F, any_event>)}};
    return all;
  } else if constexpr (sizeof...(Es) == 1) {
    static const std::array all{routing::typed_call{key_of<Es>,
                                                    reinterpret_cast<erased>(&call_event<F, Es>),
                                                    shorter_way<event_entry, F, Es>()}...};
    return all;
  } else {
    static const std::array all{
        routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call_event<F, Es>)}...};
    return all;
  }
}

/// The facts about a handler of these types; its parameters behind the message are the same for
/// each.
template <class F, class M = any_event, class... /*the other types*/>
struct handler_facts_of {
  using as = invocation<F, M>;
  static constexpr component::handler_facts value{as::plain_needs::listed(), as::is_coroutine,
                                                  nullptr};
};

template <class F, class M>
step_taken call_exact(const handler_in_hand& which, component_run& d,
                      asio::awaitable<void>* start) {
  if (!is_type<M>(d.message.type)) return step_taken::refused;
  using as = invocation<F, M>;
  return as::template run<typename as::exact>(which, d, start);
}

template <class F, class M>
step_taken call_converted(const handler_in_hand& which, component_run& d,
                          asio::awaitable<void>* start) {
  if constexpr (conversion_target<M>) {
    if (!is_type<M>(d.message.type) && converted<M>(d.message)) {
      return invocation<F, M>::template run<converted_message<M>>(which, d, start);
    }
  }
  return step_taken::refused;
}

/// Calls `F` with messages of the types `Ms`, or of every type if there are none. An exact match
/// comes before any conversion (T5).
template <class F, class... Ms>
step_taken call_message(routing::entry& entry, component_run& d, asio::awaitable<void>* start) {
  const handler_in_hand which(static_cast<message_entry&>(entry));
  if constexpr (sizeof...(Ms) == 0) {
    return invocation<F, any_event>::template run<any_message>(which, d, start);
  } else {
    step_taken taken = step_taken::refused;
    const auto takes = [&](step_taken answer) {
      taken = answer;
      return answer != step_taken::refused;
    };
    (void)((takes(call_exact<F, Ms>(which, d, start)) || ...) ||
           (takes(call_converted<F, Ms>(which, d, start)) || ...));
    return taken;
  }
}

template <class F, class... Ms>
component::message_calls message_calls() noexcept {
  const auto call = reinterpret_cast<void (*)()>(&call_message<F, Ms...>);
  if constexpr (sizeof...(Ms) == 1) {
    return {call, component::keys_of<Ms...>, (shorter_way<message_entry, F, Ms>(), ...)};
  } else {
    return {call, component::keys_of<Ms...>};
  }
}

}  // namespace msgbus::async::detail
