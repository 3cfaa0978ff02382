#pragma once

/// Lists of types.

#include <msgbus/detail/core/config.hpp>

#include <cstddef>
#include <type_traits>

namespace msgbus::detail {

template <class... Ts>
struct type_list {
  static constexpr std::size_t size = sizeof...(Ts);
};

template <class T, class List>
inline constexpr bool is_in = false;
template <class T, class... Ts>
inline constexpr bool is_in<T, type_list<Ts...>> = (std::is_same_v<T, Ts> || ...);

template <class Found, class... Ts>
struct make_unique_list {
  using type = Found;
};
template <class... Found, class T, class... Ts>
struct make_unique_list<type_list<Found...>, T, Ts...>
    : make_unique_list<std::conditional_t<is_in<T, type_list<Found...>>, type_list<Found...>,
                                          type_list<Found..., T>>,
                       Ts...> {};

/// The types without duplicates, in the order of their first occurrence.
template <class... Ts>
using unique_list = typename make_unique_list<type_list<>, Ts...>::type;

}  // namespace msgbus::detail
