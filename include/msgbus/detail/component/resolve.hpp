#pragma once

/// Resolution: from the parameters of a callable to the values of the dependencies that they name.
///
/// Without overrides, everything is known at compile time. The dependencies are in an order (each
/// after its own dependencies) and their calls nest, which costs the same as direct calls (I6).
/// With overrides, a `scope` resolves on demand; overlay.hpp is a faster path for most overrides.

#include <msgbus/depends.hpp>
#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/component/scope.hpp>
#include <msgbus/yield.hpp>

#include <array>
#include <memory>
#include <optional>

namespace msgbus::component {

/// The resolved values, by dependency.
struct no_values {};

template <const auto& D, class Outer>
struct values {
  value_of<decltype(D)>* value;
  const Outer& outer;
};

template <const auto& Wanted, const auto& D, class Outer>
auto* value_in(const values<D, Outer>& all) noexcept {
  if constexpr (std::is_same_v<dependency<Wanted>, dependency<D>>) {
    return all.value;
  } else {
    return value_in<Wanted>(all.outer);
  }
}

template <class Values, const auto& D>
depends<D> as_depends(const Values& all, dependency<D>) noexcept {
  return *value_in<D>(all);
}

/// The dependencies that the `depends` parameters of a list name, each once.
template <class Found, class... Ps>
struct collect {
  using type = Found;
};
template <class... Found, class P, class... Ps>
struct collect<type_list<Found...>, P, Ps...> {
  static auto next() {
    if constexpr (is_depends<P>) {
      if constexpr (!is_in<dependency_of<P>, type_list<Found...>>) {
        return typename collect<type_list<Found..., dependency_of<P>>, Ps...>::type{};
      } else {
        return typename collect<type_list<Found...>, Ps...>::type{};
      }
    } else {
      return typename collect<type_list<Found...>, Ps...>::type{};
    }
  }
  using type = decltype(next());
};

template <class List>
struct named_by;
template <class... Ps>
struct named_by<type_list<Ps...>> : collect<type_list<>, Ps...> {};

/// Calls a dependency or an implementation, with its `depends` parameters injected.
template <class Entity, class Values, class... Ps>
decltype(auto) call_plain(Entity& entity, const Values& all, type_list<Ps...>) {
  return entity(as_depends(all, dependency_of<Ps>{})...);
}

/// As above, for a dependency or an implementation that cleans up.
template <class T, class Entity, class Values, class... Ps>
void call_yielding(Entity& entity, yielding& call, const Values& all, type_list<Ps...>) {
  entity(yield<T>(call), as_depends(all, dependency_of<Ps>{})...);
}

template <class V>
void* erased(V* value) noexcept {
  return const_cast<std::remove_const_t<V>*>(value);
}

// The stored type of a value: the type itself if a pointer to it converts, or else the converted
// type.
template <class Given, class V>
using kept_as = std::conditional_t<std::is_convertible_v<std::remove_cvref_t<Given>*, V*>,
                                   std::remove_cvref_t<Given>, std::remove_const_t<V>>;

/// Gets the value of a dependency whose own dependencies are in `all`, and runs `rest` with a `V*`
/// to it.
template <class V, class Entity, class Values, class Rest>
void provide_value(Entity& entity, scope* in, const dependency_info& info, const Values& all,
                   Rest& rest) {
  using form = form_of<std::remove_cvref_t<Entity>>;
  using given = typename form::provided;
  using needs = typename form::needs;
  if constexpr (form::kind == shape::with_clean_up) {
    auto yielded = [&](void* value) {
      rest(static_cast<V*>(static_cast<std::remove_reference_t<given>*>(value)));
    };
    yielding call(*in, info, yielded);
    call_yielding<given>(entity, call, all, needs{});
    call.ended();
  } else if constexpr (std::is_reference_v<given>) {
    given value = call_plain(entity, all, needs{});
    rest(static_cast<V*>(std::addressof(value)));
  } else {
    kept_as<given, V> value = call_plain(entity, all, needs{});
    rest(static_cast<V*>(std::addressof(value)));
  }
}

// --- on demand -------------------------------------------------------------------------------

template <const auto& D>
std::string name_of_dependency() {
  if constexpr (is_required<std::remove_cvref_t<decltype(D)>>) {
    return D.name ? D.name : "(without a name)";
  } else {
    return std::string(entity_name<D>());
  }
}

/// Pointers to the values of a list of dependencies, their types erased.
template <class List>
struct erased_values {
  void* const* at;
};

template <const auto& Wanted, class... Ds>
auto* value_in(const erased_values<type_list<Ds...>>& all) noexcept {
  constexpr std::array<bool, sizeof...(Ds)> is{std::is_same_v<dependency<Wanted>, Ds>...};
  std::size_t index = 0;
  while (!is[index]) ++index;
  return static_cast<value_of<decltype(Wanted)>*>(all.at[index]);
}

/// Stores the value of a plain entity, as a `V`.
template <class Given, class V>
class typed_value_holder final : public value_holder {
 public:
  template <class Call>
  explicit typed_value_holder(Call call) : value_(call()) {}
  [[nodiscard]] void* value() noexcept override {
    return erased(static_cast<V*>(std::addressof(value_)));
  }

 private:
  std::conditional_t<std::is_reference_v<Given>, Given, kept_as<Given, V>> value_;
};

template <const auto& D>
constexpr dependency_info make_info();
template <const auto& D>
inline constexpr dependency_info info_of = make_info<D>();

template <class List>
struct needs_of;
template <const auto&... Ds>
struct needs_of<type_list<dependency<Ds>...>> {
  static std::span<const dependency_ref> all() noexcept {
    static const std::array<dependency_ref, sizeof...(Ds)> needs{
        dependency_ref{identity_of(Ds), &info_of<Ds>}...};
    return needs;
  }
};

template <class List>
inline constexpr std::array<const dependency_info*, 0> infos_of{};
template <const auto& D, const auto&... Ds>
inline constexpr std::array<const dependency_info*, 1 + sizeof...(Ds)>
    infos_of<type_list<dependency<D>, dependency<Ds>...>>{&info_of<D>, &info_of<Ds>...};

template <const auto& Wanted>
auto* value_in(const resolved_values& all) noexcept {
  return static_cast<value_of<decltype(Wanted)>*>(all.of_listed(info_of<Wanted>));
}

template <class Entity>
using named_by_entity =
    typename named_by<typename form_of<std::remove_cvref_t<Entity>>::needs>::type;

/// Calls an entity through a pointer; null if it is known at compile time.
template <class V, class Entity>
std::unique_ptr<value_holder> make_value_holder(Entity& entity, void* const* needed) {
  using form = form_of<std::remove_cvref_t<Entity>>;
  using given = typename form::provided;
  auto call = [&]() -> given {
    const erased_values<named_by_entity<Entity>> all{needed};
    return call_plain(entity, all, typename form::needs{});
  };
  return std::make_unique<typed_value_holder<given, V>>(call);
}

}  // namespace msgbus::component

namespace msgbus::exec {
/// The call of an async entity; a complete type only with <msgbus/async.hpp>.
template <class Entity, class V>
struct async_entity;
}  // namespace msgbus::exec

namespace msgbus::component {

/// `D` itself, if there is no entity to point to.
template <const auto& D, class V>
std::unique_ptr<value_holder> make_default(void*, void* const* needed) {
  return make_value_holder<V>(D, needed);
}

template <class Entity, class V>
std::unique_ptr<value_holder> make_from(void* entity, void* const* needed) {
  return make_value_holder<V>(*static_cast<Entity*>(entity), needed);
}

template <const auto& D>
void provide_default(scope& in, const dependency_info& info, continuation rest);

/// The factory of an implementation with values of type `V`.
template <class Entity, class V>
factory factory_of() {
  constexpr shape kind = form_of<Entity>::kind;
  factory source{kind, &needs_of<named_by_entity<Entity>>::all, nullptr, nullptr};
  if constexpr (kind == shape::plain) {
    source.make = &make_from<Entity, V>;
  } else if constexpr (is_async(kind)) {
    source.async_call = &exec::async_entity<Entity, V>::erased;
  }
  return source;
}

template <class Values, class Rest>
void need(scope&, type_list<>, const Values& all, Rest& rest) {
  rest(all);
}

/// Resolves the dependencies from left to right, then runs `rest` with their values.
template <const auto& D, class... More, class Values, class Rest>
void need(scope& in, type_list<dependency<D>, More...>, const Values& all, Rest& rest) {
  auto next = [&](void* value) {
    const values<D, Values> more{static_cast<value_of<decltype(D)>*>(value), all};
    need(in, type_list<More...>{}, more, rest);
  };
  in.provide(identity_of(D), info_of<D>, next);
}

/// Resolves the dependencies of a dependency or implementation, gets its value, and runs `rest`
/// with it.
template <class V, class Entity>
void provide_from(Entity& entity, scope& in, const dependency_info& info, continuation rest) {
  using needs = typename form_of<std::remove_cvref_t<Entity>>::needs;
  auto with_value = [&](V* value) { rest(erased(value)); };
  auto with_needs = [&](const auto& all) { provide_value<V>(entity, &in, info, all, with_value); };
  need(in, typename named_by<needs>::type{}, no_values{}, with_needs);
}

template <const auto& D>
void provide_default(scope& in, const dependency_info& info, continuation rest) {
  provide_from<value_of<decltype(D)>>(D, in, info, rest);
}

template <const auto& D>
constexpr dependency_info make_info() {
  using entity = std::remove_cvref_t<decltype(D)>;
  constexpr shape kind = form_of<entity>::kind;
  dependency_info info{&name_of_dependency<D>, type_name<provided_by<decltype(D)>>(), nullptr, {}};
  info.factory.kind = kind;
  if constexpr (kind != shape::required) {
    info.factory.needs = &needs_of<named_by_entity<entity>>::all;
    if constexpr (!is_async(kind)) info.provide = &provide_default<D>;
    if constexpr (kind == shape::plain) {
      info.factory.make = &make_default<D, value_of<decltype(D)>>;
    } else if constexpr (is_async(kind)) {
      info.factory.async_call =
          &exec::async_entity<entity, value_of<decltype(D)>>::template erased_default<D>;
    }
  }
  return info;
}

// --- at compile time ------------------------------------------------------------------------

template <class D>
struct form_of_dependency : form_of<typename D::entity> {};

/// Each dependency once, after its own dependencies.
template <class Done, class Path, class Todo>
struct in_order {
  using type = Done;
};
template <class... Done, class... Path, class D, class... Todo>
struct in_order<type_list<Done...>, type_list<Path...>, type_list<D, Todo...>> {
  static constexpr bool is_cycle = is_in<D, type_list<Path...>>;
  static_assert(!is_cycle, "msgbus: a dependency depends on itself: a dependency cycle");
  static auto next() {
    if constexpr (is_cycle || is_in<D, type_list<Done...>>) {
      return in_order<type_list<Done...>, type_list<Path...>, type_list<Todo...>>{};
    } else {
      using needs = typename named_by<typename form_of_dependency<D>::needs>::type;
      using before = typename in_order<type_list<Done...>, type_list<Path..., D>, needs>::type;
      return after(before{});
    }
  }
  template <class... Before>
  static auto after(type_list<Before...>) {
    return in_order<type_list<Before..., D>, type_list<Path...>, type_list<Todo...>>{};
  }
  using type = typename decltype(next())::type;
};

template <class Values, class Rest>
decltype(auto) resolve(scope*, type_list<>, const Values& all, Rest& rest) {
  return rest(all);
}

/// Gets the values of dependencies in order, none of them overridden, and runs `rest` with them.
/// Only dependencies that clean up use the scope; with those, nothing is returned.
template <const auto& D, class... More, class Values, class Rest>
decltype(auto) resolve(scope* in, type_list<dependency<D>, More...>, const Values& all,
                       Rest& rest) {
  using form = form_of<std::remove_cvref_t<decltype(D)>>;
  using V = value_of<decltype(D)>;
  if constexpr (form::kind == shape::with_clean_up) {
    auto next = [&](V* value) {
      const values<D, Values> more{value, all};
      resolve(in, type_list<More...>{}, more, rest);
    };
    provide_value<V>(D, in, info_of<D>, all, next);
  } else {
    typename form::provided value = call_plain(D, all, typename form::needs{});
    const values<D, Values> more{std::addressof(value), all};
    return resolve(in, type_list<More...>{}, more, rest);
  }
}

}  // namespace msgbus::component
