#pragma once

/// The parameters and the result of a callable, from its type.

#include <msgbus/detail/core/type_list.hpp>

#include <concepts>
#include <coroutine>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::detail {

/// A callable's result and parameters, as declared.
template <class Result, class... Parameters>
struct signature {
  using result = Result;
  using parameters = type_list<Parameters...>;
};

/// The callable has no single signature: it is overloaded or generic.
struct no_signature {};

template <class F>
struct read_signature {
  using type = no_signature;
};

template <class R, class... Ps>
struct read_signature<R(Ps...)> {
  using type = signature<R, Ps...>;
};
template <class R, class... Ps>
struct read_signature<R(Ps...) noexcept> : read_signature<R(Ps...)> {};
template <class R, class... Ps>
struct read_signature<R (*)(Ps...)> : read_signature<R(Ps...)> {};
template <class R, class... Ps>
struct read_signature<R (*)(Ps...) noexcept> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...)> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) const> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) noexcept> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) const noexcept> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...)&> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) const&> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) & noexcept> : read_signature<R(Ps...)> {};
template <class R, class C, class... Ps>
struct read_signature<R (C::*)(Ps...) const & noexcept> : read_signature<R(Ps...)> {};

template <class F>
struct callable_signature : read_signature<F> {};
template <class F>
  requires requires { &F::operator(); }
struct callable_signature<F> : read_signature<decltype(&F::operator())> {};

template <class F>
struct callable_signature<std::reference_wrapper<F>> : callable_signature<F> {};

template <class S>
struct first_parameter {
  using type = void;
};
template <class R, class P, class... Ps>
struct first_parameter<signature<R, P, Ps...>> {
  using type = P;
};

/// The signature of a function, a pointer to one, a member function, or an object with exactly one
/// `operator()` that is no template; `no_signature` for anything else.
template <class F>
using signature_of = typename callable_signature<std::remove_cvref_t<F>>::type;

template <class Signature>
using first_parameter_of = typename first_parameter<Signature>::type;

template <class F, class Argument>
concept generic_for = requires { &F::template operator()<Argument>; };

template <class F, class Event>
constexpr auto find_signature_for() {
  using plain = signature_of<F>;
  if constexpr (!std::same_as<plain, no_signature>) {
    return plain{};
  } else if constexpr (generic_for<F, Event>) {
    using found = typename read_signature<decltype(&F::template operator()<Event>)>::type;
    // In the call, `auto&&` deduces a reference to const; with the named type it does not.
    if constexpr (std::is_rvalue_reference_v<first_parameter_of<found>>) {
      return typename read_signature<decltype(&F::template operator()<const Event&>)>::type {};
    } else {
      return found{};
    }
  } else if constexpr (std::invocable<F&, const Event&>) {
    return signature<std::invoke_result_t<F&, const Event&>, const Event&>{};
  } else {
    return no_signature{};
  }
}

/// The signature of a callable with a possibly generic first parameter, when it is called with an
/// `Event`. For an overloaded callable, only the event is assumed.
template <class F, class Event>
using signature_for = decltype(find_signature_for<F, Event>());

/// A member function and its object as one callable with the member's signature.
template <class Object, class Member, class Signature = signature_of<Member>>
class bound_member;

template <class Object, class Member, class R, class... Ps>
class bound_member<Object, Member, signature<R, Ps...>> {
 public:
  bound_member(Member member, Object object) : member_(member), object_(std::move(object)) {}

  R operator()(Ps... parameters) const {
    return ((*object_).*member_)(std::forward<Ps>(parameters)...);
  }

 private:
  Member member_;
  Object object_;
};

template <class Member, class Object>
inline constexpr bool member_of = false;
template <class M, class C, class Object>
inline constexpr bool member_of<M C::*, Object> = std::is_base_of_v<C, Object>;

template <class Member, class Object>
inline constexpr bool points_to_object_of = false;
template <class M, class C, class Object>
  requires requires(const Object& object) { *object; }
inline constexpr bool points_to_object_of<M C::*, Object> =
    std::is_base_of_v<C, std::remove_cvref_t<decltype(*std::declval<const Object&>())>>;

/// `object` is an lvalue, which must outlive the handler, or a pointer, smart or not.
template <class Member, class Object>
auto bind_member(Member member, Object&& object) {
  if constexpr (!member_of<Member, std::remove_cvref_t<Object>>) {
    static_assert(points_to_object_of<Member, std::remove_cvref_t<Object>>,
                  "msgbus: a member function needs its object: give both, `&type::member, object`");
    return bound_member<std::remove_cvref_t<Object>, Member>(member, std::forward<Object>(object));
  } else {
    static_assert(std::is_lvalue_reference_v<Object>,
                  "msgbus: a member function's object is a temporary; pass an object that outlives "
                  "the handler, or a pointer");
    return bound_member<decltype(std::addressof(object)), Member>(member, std::addressof(object));
  }
}

/// A result that must be awaited: that of a coroutine, or another awaitable.
template <class R>
concept awaitable_result = requires { typename std::coroutine_traits<R>::promise_type; } ||
                           requires(R& result) { result.await_ready(); } ||
                           requires(R&& result) { std::move(result).operator co_await(); };

}  // namespace msgbus::detail
