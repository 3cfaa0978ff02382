#pragma once

/// The forms of a dependency: a function, a `constexpr` callable object, or a `required<T>`. A
/// dependency that cleans up takes a `yield<T>` as its first parameter, and calls it once.

#include <msgbus/detail/core/signature.hpp>
#include <msgbus/detail/core/type_name.hpp>

#include <type_traits>

namespace msgbus {

/// A dependency without a default. Without an override, handlers that name it fail with
/// `not_provided` (I5).
///
///     inline constexpr msgbus::required<database&> get_database{"database"};
template <class T>
struct required {
  /// The type of the value.
  using provided_type = T;
  const char* name;  ///< for error texts
};

template <class T>
class yield;

namespace async {
template <class T>
class yield;
}  // namespace async

template <const auto& Dependency>
class depends;

namespace component {

template <class T>
inline constexpr bool is_required = false;
template <class T>
inline constexpr bool is_required<required<T>> = true;

/// A dependency as a type, for lists of them.
template <const auto& D>
struct dependency {
  using entity = std::remove_cvref_t<decltype(D)>;
};

template <class P>
struct as_dependency {
  static constexpr bool found = false;
};
template <const auto& D>
struct as_dependency<depends<D>> {
  static constexpr bool found = true;
  using type = dependency<D>;
};

/// Whether a parameter's type is `depends<...>`, by value or by reference to const.
template <class P>
inline constexpr bool is_depends = as_dependency<std::remove_cvref_t<P>>::found;

/// Whether a parameter is a reference to `depends<...>`, which dangles once a coroutine runs.
template <class P>
inline constexpr bool is_depends_reference = is_depends<P> && std::is_reference_v<P>;

/// The dependency that a `depends<...>` parameter names.
template <class P>
using dependency_of = typename as_dependency<std::remove_cvref_t<P>>::type;

template <class T>
struct as_yield {
  static constexpr bool found = false;
};
template <class T>
struct as_yield<yield<T>> {
  static constexpr bool found = true;
  using type = T;
};

/// The way in which a dependency, or an implementation of one, provides its value.
enum class shape { required, plain, with_clean_up, awaited, awaited_with_clean_up };

[[nodiscard]] constexpr bool is_async(shape kind) noexcept {
  return kind == shape::awaited || kind == shape::awaited_with_clean_up;
}

template <class R>
struct given_by {
  using type = R;
};
template <awaitable_result R>
  requires requires { typename R::value_type; }
struct given_by<R> {
  using type = typename R::value_type;
};

template <class Entity, class Signature>
struct form_of_callable {
  static_assert(!std::is_same_v<Signature, no_signature>,
                "msgbus: a dependency or an override is a function, a callable object "
                "with one operator(), or a required<T>");
};

template <class Entity, class R, class... Ps>
struct form_of_callable<Entity, signature<R, Ps...>> {
  static_assert((is_depends<Ps> && ...),
                "msgbus: a dependency's parameters are depends<...>, after yield<T> if it cleans "
                "up");
  static_assert(!std::is_void_v<R>, "msgbus: a dependency returns its value, or takes a yield<T>");
  static_assert(!awaitable_result<R> || (!is_depends_reference<Ps> && ...),
                "msgbus: a coroutine takes depends<...> by value: a reference would dangle before "
                "the coroutine runs");
  static constexpr shape kind = awaitable_result<R> ? shape::awaited : shape::plain;
  using provided = typename given_by<R>::type;
  static_assert(std::is_void_v<R> || !std::is_void_v<provided>,
                "msgbus: a dependency gives its value, or takes an async::yield<T>");
  using needs = type_list<Ps...>;
};

template <class Entity, class R, class T, class... Ps>
struct form_of_callable<Entity, signature<R, async::yield<T>, Ps...>> {
  static_assert((is_depends<Ps> && ...),
                "msgbus: after its async::yield<T> a dependency takes only depends<...>");
  static_assert(awaitable_result<R> && std::is_void_v<typename given_by<R>::type>,
                "msgbus: a dependency that takes an async::yield<T> returns "
                "asio::awaitable<void>");
  static_assert((!is_depends_reference<Ps> && ...),
                "msgbus: a coroutine takes depends<...> by value: a reference would dangle before "
                "the coroutine runs");
  static constexpr shape kind = shape::awaited_with_clean_up;
  using provided = T;
  using needs = type_list<Ps...>;
};

template <class Entity, class R, class T, class... Ps>
struct form_of_callable<Entity, signature<R, yield<T>, Ps...>> {
  static_assert((is_depends<Ps> && ...),
                "msgbus: after its yield<T> a dependency takes only depends<...>");
  static_assert(std::is_void_v<R>, "msgbus: a dependency that takes a yield<T> returns void");
  static constexpr shape kind = shape::with_clean_up;
  using provided = T;
  using needs = type_list<Ps...>;
};

/// The form of a dependency or implementation of type `Entity`.
template <class Entity>
struct form_of : form_of_callable<Entity, signature_of<Entity>> {};

template <class T>
struct form_of<required<T>> {
  static constexpr shape kind = shape::required;
  using provided = T;
  using needs = type_list<>;
};

template <class Entity>
using provided_by = typename form_of<std::remove_cvref_t<Entity>>::provided;

/// The type of the value of a `depends`.
template <class Entity>
using value_of = std::remove_reference_t<provided_by<Entity>>;

/// The identity of a dependency: its address.
template <class Entity>
const void* identity_of(const Entity& entity) noexcept {
  if constexpr (std::is_function_v<Entity>) {
    return reinterpret_cast<const void*>(&entity);
  } else {
    return static_cast<const void*>(std::addressof(entity));
  }
}

}  // namespace component
}  // namespace msgbus
