#pragma once

/// The call of an async handler with its resolved dependencies.

#include <msgbus/async/yield.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/exec/needs.hpp>

namespace msgbus::exec {

/// The dependencies of a handler with the parameters `Ps`, and its call.
template <class... Ps>
class async_injector;
template <class Injector>
struct async_of;
template <class... Ps>
struct async_of<component::injector<Ps...>> {
  using type = async_injector<Ps...>;
};

template <class... Ps>
class async_injector {
  using named = typename component::named_by<type_list<Ps...>>::type;
  using order = typename component::in_order<type_list<>, type_list<>, named>::type;

 public:
  using erased_needs = needs_of<named, order>;
  static constexpr bool has_async = erased_needs::has_async;
  static constexpr bool has_clean_up = erased_needs::has_clean_up;

  /// Whether the handler takes a dependency by reference, which a coroutine must not.
  static constexpr bool has_reference = (component::is_depends_reference<Ps> || ...);

  /// Whether the handler has no dependency.
  static constexpr bool needs_nothing = named::size == 0;

  /// The erased dependencies; null if there are none.
  static constexpr const needs* erased() noexcept {
    if constexpr (needs_nothing) {
      return nullptr;
    } else {
      return &erased_needs::erased;
    }
  }

  /// Calls a handler with pointers to its dependencies.
  template <class Call>
  static decltype(auto) call_with(Call& call, [[maybe_unused]] void* const* needed,
                                  [[maybe_unused]] const msgbus::context& ctx) {
    return call(argument<Ps>(component::erased_values<named>{needed}, ctx)...);
  }

  /// Calls a handler without dependencies.
  template <class Call>
  static decltype(auto) call_bare(Call& call, const msgbus::context& ctx) {
    return call(argument<Ps>(component::no_values{}, ctx)...);
  }

 private:
  template <class P, class Values>
  static decltype(auto) argument(const Values& all, const msgbus::context& ctx) {
    if constexpr (component::is_depends<P>) {
      return component::as_depends(all, component::dependency_of<P>{});
    } else {
      return (ctx);
    }
  }
};

}  // namespace msgbus::exec
