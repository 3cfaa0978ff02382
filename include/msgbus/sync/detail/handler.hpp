#pragma once

/// Handlers of events and of messages: how a user's callable becomes an entry in a route.

#include <msgbus/core/any_event.hpp>
#include <msgbus/core/convert.hpp>
#include <msgbus/core/one_of.hpp>
#include <msgbus/routing/topic_tree.hpp>
#include <msgbus/routing/type_table.hpp>
#include <msgbus/sync/detail/delivery.hpp>

#include <array>
#include <optional>
#include <variant>

namespace msgbus::sync::detail {

template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

/// The types that a first parameter takes. An empty list takes every type.
template <class P>
struct taken {
  using type = type_list<P>;
};
template <class... Ts>
struct taken<one_of<Ts...>> {
  using type = unique_list<Ts...>;
};
template <>
struct taken<any_event> {
  using type = type_list<>;
};

template <class F>
consteval bool has_message_parameter() {
  static_assert(!std::is_member_function_pointer_v<F>,
                "msgbus: a member function needs its object: give both, `&type::member, object`");
  using first = first_parameter_of<signature_of<F>>;
  constexpr bool known = !std::is_same_v<signature_of<F>, no_signature>;
  static_assert(known,
                "msgbus: the message type of a generic or overloaded handler cannot be deduced; "
                "name it in angle brackets before the handler");
  static_assert(!known || !std::is_void_v<first>,
                "msgbus: a handler without parameters handles nothing; its first parameter is the "
                "message that it handles");
  return known && !std::is_void_v<first>;
}

/// The types that a handler takes by its first parameter.
template <class F>
auto taken_by() {
  if constexpr (has_message_parameter<F>()) {
    return typename taken<std::remove_cvref_t<first_parameter_of<signature_of<F>>>>::type{};
  } else {
    return type_list<>{};
  }
}

/// The types that are named for a handler, each once. `any_event` among them takes every type.
template <class... Ms>
using named_types = std::conditional_t<is_in<any_event, type_list<std::remove_cv_t<Ms>...>>,
                                       type_list<>, unique_list<std::remove_cv_t<Ms>...>>;

template <class P, class M>
inline constexpr bool takes =
    std::is_same_v<std::remove_cvref_t<P>, M> || std::is_same_v<std::remove_cvref_t<P>, any_event>;
template <class... Ts, class M>
inline constexpr bool takes<one_of<Ts...>, M> = (std::is_same_v<Ts, M> || ...);
template <class... Ts, class M>
inline constexpr bool takes<const one_of<Ts...>&, M> = (std::is_same_v<Ts, M> || ...);

/// Says what is wrong with a handler of `M` with this signature, in one sentence.
template <class Signature, class M>
struct checked;
template <class M>
struct checked<no_signature, M> {
  static_assert(!std::is_same_v<M, M>, "msgbus: the handler cannot be called with this type");
};
template <class R, class M>
struct checked<signature<R>, M> {
  static_assert(!std::is_same_v<M, M>,
                "msgbus: a handler without parameters handles nothing; its first parameter is the "
                "message that it handles");
};
template <class R, class P, class... Ps, class M>
struct checked<signature<R, P, Ps...>, M> {
  static constexpr bool by_value_or_const =
      !std::is_reference_v<P> ||
      (std::is_lvalue_reference_v<P> && std::is_const_v<std::remove_reference_t<P>>);
  static constexpr bool is_message = !is_variant<std::remove_cvref_t<P>> && !di::is_injected<P>;
  static_assert(!is_variant<std::remove_cvref_t<P>>,
                "msgbus: a std::variant is routed by its active alternative; take a "
                "msgbus::one_of<...> of the alternatives");
  static_assert(!di::is_injected<P>,
                "msgbus: a handler's first parameter is its message; dependencies and the context "
                "come after it");
  static_assert(by_value_or_const,
                "msgbus: a handler takes its message by reference to const or by value: other "
                "handlers get the same message");
  static_assert(!by_value_or_const || !is_message || takes<P, M>,
                "msgbus: the handler's first parameter does not take this type");
  static_assert(std::is_reference_v<P> || !takes<P, M> || std::copy_constructible<M>,
                "msgbus: a handler takes its message by value, but it cannot be copied; take it by "
                "reference to const");
  static_assert((di::is_injected<Ps> && ...),
                "msgbus: after its message a handler takes only msgbus::depends<...> and const "
                "msgbus::context&");
  static_assert(!awaitable_result<R>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");
  using first = P;
  using needs = di::injector<Ps...>;
};

[[noreturn]] void throw_empty_handler();

/// A callable that is destroyed before the entry that holds it.
template <class F>
class held_callable {
 public:
  explicit held_callable(F&& callable) : callable_(std::move(callable)) {
    if constexpr (requires { bool(*callable_ == nullptr); }) {
      if (*callable_ == nullptr) throw_empty_handler();
    }
  }
  F& operator*() noexcept { return *callable_; }
  void destroy() noexcept { callable_.reset(); }

 private:
  std::optional<F> callable_;
};

/// Calls `f` with the message as what its first parameter wants, and with what it needs.
template <class M, class F>
void invoke(F& f, const M& message, routing::entry& entry, delivery& d) {
  using check = checked<signature_for<F, M>, M>;
  auto call = [&](auto&&... needed) {
    if constexpr (std::is_same_v<std::remove_cvref_t<typename check::first>, any_event>) {
      (void)f(any_event(value_ref::to(message)), std::forward<decltype(needed)>(needed)...);
    } else {
      (void)f(message, std::forward<decltype(needed)>(needed)...);
    }
  };
  check::needs::run(injection_for(entry, d), call, &d.failed);
}

/// Calls `f`, which takes any type, with an erased message.
template <class F>
void invoke_any(F& f, routing::entry& entry, delivery& d) {
  using check = checked<signature_for<F, any_event>, any_event>;
  auto call = [&](auto&&... needed) {
    (void)f(any_event(d.message), std::forward<decltype(needed)>(needed)...);
  };
  check::needs::run(injection_for(entry, d), call, &d.failed);
}

/// `A | B`
template <class... Ms>
std::string names_of(type_list<Ms...>) {
  if constexpr (sizeof...(Ms) == 0) {
    return "any type";
  } else {
    std::string all;
    ((all += (all.empty() ? "" : " | ") + std::string(key_of<Ms>->name)), ...);
    return all;
  }
}

/// A handler of events of the types `Es`, or of every type if there are none.
template <class F, class... Es>
class event_handler final : public routing::typed_entry {
 public:
  event_handler(std::uint64_t order, F&& f) : typed_entry(order, calls()), f_(std::move(f)) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + names_of(type_list<Es...>{});
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  template <class E>
  static bool call(routing::entry& entry, delivery& d) {
    auto& self = static_cast<event_handler&>(entry);
    invoke(*self.f_, *static_cast<const E*>(d.message.data), entry, d);
    return true;
  }

  static bool call_any(routing::entry& entry, delivery& d) {
    invoke_any(*static_cast<event_handler&>(entry).f_, entry, d);
    return true;
  }

  static std::span<const routing::typed_call> calls() {
    using erased = void (*)();
    if constexpr (sizeof...(Es) == 0) {
      static const std::array all{
          routing::typed_call{nullptr, reinterpret_cast<erased>(&call_any)}};
      return all;
    } else {
      static const std::array all{
          routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call<Es>)}...};
      return all;
    }
  }

  held_callable<F> f_;
};

/// A handler of messages of the types `Ms`, or of every type if there are none.
template <class F, class... Ms>
class message_handler final : public routing::topic_entry {
 public:
  message_handler(std::uint64_t order, std::vector<std::string> patterns, F&& f)
      : topic_entry(order, std::move(patterns), reinterpret_cast<void (*)()>(&call)),
        f_(std::move(f)) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + names_of(type_list<Ms...>{}) + " on " + describe_patterns();
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  // An exact match comes before any conversion (T5).
  static bool call(routing::entry& entry, delivery& d) {
    auto& self = static_cast<message_handler&>(entry);
    if constexpr (sizeof...(Ms) == 0) {
      invoke_any(*self.f_, entry, d);
      return true;
    } else {
      return (self.template call_exact<Ms>(d) || ...) ||
             (self.template call_converted<Ms>(d) || ...);
    }
  }

  template <class M>
  bool call_exact(delivery& d) {
    if (d.message.type != key_of<M>) return false;
    invoke(*f_, *static_cast<const M*>(d.message.data), *this, d);
    return true;
  }

  template <class M>
  bool call_converted(delivery& d) {
    if constexpr (conversion_target<M>) {
      if (const std::optional<M> message = converted<M>(d.message)) {
        invoke(*f_, *message, *this, d);
        return true;
      }
    }
    return false;
  }

  held_callable<F> f_;
};

}  // namespace msgbus::sync::detail
