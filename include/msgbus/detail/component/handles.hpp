#pragma once

/// The message type and the dependencies of a handler, read from its signature and checked; and the
/// storage of its callable.

#include <msgbus/any_event.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/signature.hpp>
#include <msgbus/detail/core/type_key.hpp>
#include <msgbus/one_of.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace msgbus::component {

template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

/// The types that a first parameter accepts. An empty list accepts every type.
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
  constexpr bool is_known = !std::is_same_v<signature_of<F>, no_signature>;
  static_assert(is_known,
                "msgbus: the message type of a generic or overloaded handler cannot be deduced; "
                "name it in angle brackets before the handler");
  static_assert(!is_known || !std::is_void_v<first>,
                "msgbus: a handler without parameters handles nothing; its first parameter is the "
                "message that it handles");
  return is_known && !std::is_void_v<first>;
}

/// The types that a handler accepts by its first parameter.
template <class F>
auto taken_by() {
  if constexpr (has_message_parameter<F>()) {
    return typename taken<std::remove_cvref_t<first_parameter_of<signature_of<F>>>>::type{};
  } else {
    return type_list<>{};
  }
}

/// The types in angle brackets, each once. `any_event` among them accepts every type.
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

/// The type of a message of which an explanation is asked.
template <class M>
constexpr type_key type_to_explain() {
  static_assert(!is_variant<std::remove_cvref_t<M>>,
                "msgbus: a std::variant is routed by its active alternative; explain one of the "
                "alternatives");
  return key_of<M>;
}

/// Checks a handler of `M` with this signature. For a wrong handler, the compiler prints one
/// sentence.
template <class Signature, class M>
struct checked;
template <class M>
struct checked<no_signature, M> {
  static_assert(!std::is_same_v<M, M>, "msgbus: the handler cannot be called with this type");
  static constexpr bool fits = false;
};
template <class R, class M>
struct checked<signature<R>, M> {
  static_assert(!std::is_same_v<M, M>,
                "msgbus: a handler without parameters handles nothing; its first parameter is the "
                "message that it handles");
  static constexpr bool fits = false;
};
template <class R, class P, class... Ps, class M>
struct checked<signature<R, P, Ps...>, M> {
  static constexpr bool by_value_or_const =
      !std::is_reference_v<P> ||
      (std::is_lvalue_reference_v<P> && std::is_const_v<std::remove_reference_t<P>>);
  static constexpr bool is_message =
      !is_variant<std::remove_cvref_t<P>> && !component::is_injected<P>;
  static_assert(!is_variant<std::remove_cvref_t<P>>,
                "msgbus: a std::variant is routed by its active alternative; take a "
                "msgbus::one_of<...> of the alternatives");
  static_assert(!component::is_injected<P>,
                "msgbus: a handler's first parameter is its message; dependencies and the context "
                "come after it");
  static_assert(by_value_or_const,
                "msgbus: a handler takes its message by reference to const or by value: other "
                "handlers get the same message");
  static_assert(!by_value_or_const || !is_message || takes<P, M> ||
                    std::is_same_v<std::remove_cvref_t<P>, one_of<>>,  // which has its own message
                "msgbus: the handler's first parameter does not take this type");
  static_assert(std::is_reference_v<P> || !takes<P, M> || std::copy_constructible<M>,
                "msgbus: a handler takes its message by value, but it cannot be copied; take it by "
                "reference to const");
  static_assert(component::is_injected<P> || (component::is_injected<Ps> && ...),
                "msgbus: after its message a handler takes only msgbus::depends<...> and const "
                "msgbus::context&");
  /// Whether the handler can be called. If not, one assertion above has named the reason, and
  /// callers must cause no other error.
  static constexpr bool fits = is_message && by_value_or_const && takes<P, M> &&
                               (std::is_reference_v<P> || std::copy_constructible<M>) &&
                               (component::is_injected<Ps> && ...);
  using result = R;
  using first = P;
  using needs = component::injector<Ps...>;
};

[[noreturn]] void throw_empty_handler();

/// Refuses null pointers and empty functions. Throws: `bad_arguments`.
template <class F>
void check_callable(const F& callable) {
  static_assert(!std::is_member_function_pointer_v<F>,
                "msgbus: a member function needs its object: give both, `&type::member, object`");
  if constexpr (requires { bool(callable == nullptr); }) {
    if (callable == nullptr) throw_empty_handler();
  }
}

/// A callable that is destroyed before the entry that holds it.
template <class F>
class callable_holder {
 public:
  explicit callable_holder(F&& callable) : callable_(std::move(callable)) {
    check_callable(*callable_);
  }
  F& operator*() noexcept { return *callable_; }
  void destroy() noexcept { callable_.reset(); }

 private:
  std::optional<F> callable_;
};

}  // namespace msgbus::component
