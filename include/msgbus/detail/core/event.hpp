#pragma once

/// The preparation of an event for a verb: variants are unpacked, events are made in place.

#include <msgbus/detail/core/type_key.hpp>

#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

namespace msgbus::detail {

/// Calls `f(value_ref)` with the event, or with the active alternative of a variant (T3).
template <class E, class F>
decltype(auto) with_event(const E& event, F&& f) {
  return std::forward<F>(f)(value_ref::to(event));
}

template <class... Es, class F>
decltype(auto) with_event(const std::variant<Es...>& event, F&& f) {
  return std::visit(
      [&](const auto& active) -> decltype(auto) { return with_event(active, std::forward<F>(f)); },
      event);
}

/// Throws `std::bad_variant_access`, as `with_event` does, if a variant is valueless at any depth.
template <class E>
void check_holds(const E& event) {
  with_event(event, [](value_ref) {});
}

/// Whether the event holds a value.
template <class E>
[[nodiscard]] constexpr bool holds_value(const E&) noexcept {
  return true;
}
template <class... Es>
[[nodiscard]] constexpr bool holds_value(const std::variant<Es...>& event) noexcept {
  return !event.valueless_by_exception() &&
         std::visit([](const auto& active) { return holds_value(active); }, event);
}

/// Whether `Args...` construct an `E`. False if they are one `E`.
template <class E, class... Args>
concept in_place_for =
    !(sizeof...(Args) == 1 && (std::same_as<std::remove_cvref_t<Args>, E> && ...)) &&
    (std::constructible_from<E, Args...> || requires { E{std::declval<Args>()...}; });

/// Constructs an event with parentheses, or with braces if it is an aggregate.
template <class E, class... Args>
E make_event(Args&&... args) {
  if constexpr (std::is_aggregate_v<E>) {
    return E{std::forward<Args>(args)...};
  } else {
    return E(std::forward<Args>(args)...);
  }
}

}  // namespace msgbus::detail
