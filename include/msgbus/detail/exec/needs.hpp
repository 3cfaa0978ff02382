#pragma once

/// The erased resolution of a list of dependencies.

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/detail/component/resolve.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace msgbus::exec {

/// The values of dependencies without overrides, in one object: each is constructed after its own
/// dependencies, and destroyed before them.
struct nothing_kept {};

template <const auto& D, class Outer>
struct kept_values {
  using given = typename component::form_of<std::remove_cvref_t<decltype(D)>>::provided;
  using needs = typename component::form_of<std::remove_cvref_t<decltype(D)>>::needs;

  Outer outer{};
  given value = component::call_plain(D, outer, needs{});
};

template <const auto& Wanted, const auto& D, class Outer>
auto* value_in(const kept_values<D, Outer>& all) noexcept {
  if constexpr (std::is_same_v<component::dependency<Wanted>, component::dependency<D>>) {
    using value = component::value_of<decltype(D)>;
    return const_cast<value*>(std::addressof(all.value));  // it was made as no const object
  } else {
    return value_in<Wanted>(all.outer);
  }
}

template <class Kept, class... Ds>
struct keep_all {
  using type = Kept;
};
template <class Kept, const auto& D, class... Ds>
struct keep_all<Kept, component::dependency<D>, Ds...> : keep_all<kept_values<D, Kept>, Ds...> {};

template <class List>
struct kept_in_order;
template <class... Ds>
struct kept_in_order<type_list<Ds...>> : keep_all<nothing_kept, Ds...> {};

/// The description of the dependencies of a handler.
struct needs {
  std::span<const component::dependency_ref> (*all)();
  bool has_async;  // some default must be awaited
  // Without overrides: constructs all values in one object of this size, and stores pointers to the
  // handler's own dependencies in `needed`. Null if that needs a scope.
  void (*keep)(void* storage, void** needed);
  void (*drop)(void* storage);  // null: there is nothing to do
  std::size_t size;
  std::size_t alignment;
};

template <class Named, class Order>
struct needs_of;

template <const auto&... Named, class Order>
struct needs_of<type_list<component::dependency<Named>...>, Order> {
  using named = type_list<component::dependency<Named>...>;
  template <class... Ds>
  static constexpr bool any_of(type_list<Ds...>, [[maybe_unused]] component::shape kind) {
    return ((component::form_of_dependency<Ds>::kind == kind) || ...);
  }
  static constexpr bool has_async = any_of(Order{}, component::shape::awaited) ||
                                    any_of(Order{}, component::shape::awaited_with_clean_up);
  static constexpr bool has_clean_up = any_of(Order{}, component::shape::with_clean_up);
  static constexpr bool has_required = any_of(Order{}, component::shape::required);

  template <class Kept>
  static void keep(void* storage, void** needed) {
    const Kept& all = *::new (storage) Kept{};
    ((*needed++ = component::erased(value_in<Named>(all))), ...);
  }
  template <class Kept>
  static void drop(void* storage) {
    static_cast<Kept*>(storage)->~Kept();
  }

  static constexpr needs make() {
    needs made{&component::needs_of<named>::all, has_async, nullptr, nullptr, 0, 1};
    if constexpr (!has_async && !has_clean_up && !has_required) {
      using kept = typename kept_in_order<Order>::type;
      made.keep = &keep<kept>;
      if constexpr (!std::is_trivially_destructible_v<kept>) made.drop = &drop<kept>;
      made.size = sizeof(kept);
      made.alignment = alignof(kept);
    }
    return made;
  }
  static constexpr needs erased = make();
};

}  // namespace msgbus::exec
