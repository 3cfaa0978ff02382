#pragma once

/// Handlers of events and of messages: how a user's callable, plain or a coroutine, becomes an
/// entry in a route.

#include <msgbus/async/detail/attempts.hpp>
#include <msgbus/async/detail/bare_handler.hpp>
#include <msgbus/async/detail/core.hpp>
#include <msgbus/component/handles.hpp>
#include <msgbus/core/convert.hpp>
#include <msgbus/exec/inject.hpp>
#include <msgbus/policy/held_policy.hpp>
#include <msgbus/routing/topic_tree.hpp>
#include <msgbus/routing/type_table.hpp>

#include <array>
#include <optional>

namespace msgbus::async::detail {

// What a handler's first parameter is made from; it lives as long as the call.
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

/// A handler with its message, to be called with what else it needs.
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

/// How `F` is called with an `M`; with `any_event`, with every type.
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
  static_assert(!is_coroutine || !needs::has_clean_up,
                "msgbus: a coroutine handler needs a dependency that cleans up with msgbus::yield, "
                "which cannot wait for it; let it clean up with async::yield");
  static_assert(
      is_coroutine || !needs::has_async || !needs::has_clean_up,
      "msgbus: a handler that needs an awaitable dependency cannot also need one that "
      "cleans up with msgbus::yield, which cannot wait; let it clean up with async::yield");
  using exact = exact_message<std::remove_cvref_t<typename check::first>, M>;

  template <class Message>
  static step_taken run(F& f, bool is_plain, const held_policy& how, routing::entry& entry,
                        delivery& d, asio::awaitable<void>* start) {
    if constexpr (needs::needs_nothing) {
      if (start) {
        start_bare({&f, &call_bare<Message>, is_coroutine}, is_plain, how, entry, d, *start);
      } else if (!is_coroutine && is_plain) {
        call_bare<Message>(&f, d.message, *d.known, nullptr);
        return step_taken::ran;
      }
      return step_taken::suspends;
    } else {
      return run_with_needs<Message>(f, is_plain, how, entry, d, start);
    }
  }

 private:
  template <class Message>
  static void call_bare(void* f, value_ref message, const context& known,
                        asio::awaitable<void>* start) {
    const bound_call<F, Message> call{static_cast<F*>(f), Message::from(message)};
    if constexpr (!is_coroutine) {
      (void)needs::call_bare(call, known);
    } else if constexpr (std::is_same_v<result, asio::awaitable<void>> &&
                         std::is_same_v<Message, the_message<M>>) {
      *start = needs::call_bare(call, known);
    } else {
      *start = keep_and_await(call, known);
    }
  }

  template <class Call>
  static asio::awaitable<void> keep_and_await(Call call, const context& known) {
    (void)co_await needs::call_bare(call, known);
  }

  template <class Message>
  static step_taken run_with_needs(F& f, bool is_plain, const held_policy& how,
                                   routing::entry& entry, delivery& d,
                                   asio::awaitable<void>* start) {
    using call_type = bound_call<F, Message>;
    if (!start) {
      if constexpr (!is_coroutine && !needs::has_async) {
        if (is_plain && !needs::must_suspend(d.component->shared.overrides_state)) {
          const call_type call{&f, Message::from(d.message)};
          auto plainly = [&](auto&&... needed) {
            (void)call(std::forward<decltype(needed)>(needed)...);
          };
          plain_needs::run(d.injection_for(entry), plainly, &d.failed);
          return step_taken::ran;
        }
      }
    } else if (is_plain) {
      *start =
          needs::run(d.injection_for(entry), call_type{&f, Message::from(d.message)}, d.failed);
    } else {
      const auto& shared = d.share_message();
      auto make = [to = &f, m = d.message](attempt& mine) {
        return needs::run(mine.injection(), call_type{to, Message::from(m)}, mine.failed);
      };
      *start = run_attempts(d.component->self(), entry, shared, *d.known, d.message.type->name, how,
                            make, d.failed);
    }
    return step_taken::suspends;
  }
};

/// A handler of events of the types `Es`, or of every type if there are none.
template <class F, class... Es>
class event_handler final : public routing::typed_entry {
 public:
  event_handler(std::uint64_t order, F&& f, msgbus::policy how)
      : typed_entry(order, calls()),
        f_(std::move(f)),
        policy_(std::move(how)),
        is_plain_(policy_.is_plain()) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + component::names_of(type_list<Es...>{});
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  template <class E>
  static step_taken call(routing::entry& entry, delivery& d, asio::awaitable<void>* start) {
    using as = invocation<F, E>;
    auto& self = static_cast<event_handler&>(entry);
    return as::template run<typename as::exact>(*self.f_, self.is_plain_, self.policy_, entry, d,
                                                start);
  }

  static std::span<const routing::typed_call> calls() {
    using erased = void (*)();
    if constexpr (sizeof...(Es) == 0) {
      static const std::array all{
          routing::typed_call{nullptr, reinterpret_cast<erased>(&call<any_event>)}};
      return all;
    } else {
      static const std::array all{
          routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call<Es>)}...};
      return all;
    }
  }

  component::held_callable<F> f_;
  const held_policy policy_;
  const bool is_plain_;
};

/// A handler of messages of the types `Ms`, or of every type if there are none.
template <class F, class... Ms>
class message_handler final : public routing::topic_entry {
 public:
  message_handler(std::uint64_t order, std::vector<std::string> patterns, F&& f, msgbus::policy how)
      : topic_entry(order, std::move(patterns), reinterpret_cast<void (*)()>(&call)),
        f_(std::move(f)),
        policy_(std::move(how)),
        is_plain_(policy_.is_plain()) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + component::names_of(type_list<Ms...>{}) + " on " + describe_patterns();
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  // An exact match comes before any conversion (T5).
  static step_taken call(routing::entry& entry, delivery& d, asio::awaitable<void>* start) {
    auto& self = static_cast<message_handler&>(entry);
    step_taken taken = step_taken::refused;
    if constexpr (sizeof...(Ms) == 0) {
      taken = self.template run<any_event, any_message>(d, start);
    } else {
      const auto takes = [&](step_taken answer) {
        taken = answer;
        return answer != step_taken::refused;
      };
      (void)((takes(self.template call_exact<Ms>(d, start)) || ...) ||
             (takes(self.template call_converted<Ms>(d, start)) || ...));
    }
    return taken;
  }

  template <class M>
  step_taken call_exact(delivery& d, asio::awaitable<void>* start) {
    if (!is_type<M>(d.message.type)) return step_taken::refused;
    return run<M, typename invocation<F, M>::exact>(d, start);
  }

  template <class M>
  step_taken call_converted(delivery& d, asio::awaitable<void>* start) {
    if constexpr (conversion_target<M>) {
      if (!is_type<M>(d.message.type) && converted<M>(d.message)) {
        return run<M, converted_message<M>>(d, start);
      }
    }
    return step_taken::refused;
  }

  template <class M, class Message>
  step_taken run(delivery& d, asio::awaitable<void>* start) {
    return invocation<F, M>::template run<Message>(*f_, is_plain_, policy_, *this, d, start);
  }

  component::held_callable<F> f_;
  const held_policy policy_;
  const bool is_plain_;
};

}  // namespace msgbus::async::detail
