#pragma once

/// The names of types, functions and objects as in the source, for people: in errors, in
/// `any_event::name()`, in the default name of an operation. Not a wire format.

#include <msgbus/detail/core/config.hpp>

#include <concepts>
#include <string>
#include <string_view>

namespace msgbus {

namespace detail {

#if defined(_MSC_VER) && !defined(__clang__)
#define MSGBUS_PRETTY_FUNCTION __FUNCSIG__
#else
#define MSGBUS_PRETTY_FUNCTION __PRETTY_FUNCTION__
#endif

template <class T>
constexpr std::string_view pretty_type() {
  return MSGBUS_PRETTY_FUNCTION;
}

template <const auto& Entity>
constexpr std::string_view pretty_entity() {
  return MSGBUS_PRETTY_FUNCTION;
}

#undef MSGBUS_PRETTY_FUNCTION

// For every type, the function's text has the same length before and after the name. A known name
// gives these lengths.
constexpr std::string_view between(std::string_view text, std::string_view probe,
                                   std::string_view name) {
  const auto before = probe.find(name);
  const auto after = probe.size() - before - name.size();
  return text.substr(before, text.size() - before - after);
}

}  // namespace detail

/// The name of `T`, such as `shop::created<shop::user>`. It lives as long as the program.
template <class T>
[[nodiscard]] constexpr std::string_view type_name() {
  if constexpr (std::same_as<T, std::string>) {
    return "std::string";  // the full name is unreadable
  } else if constexpr (std::same_as<T, std::string_view>) {
    return "std::string_view";
  } else {
    return detail::between(detail::pretty_type<T>(), detail::pretty_type<double>(), "double");
  }
}

namespace detail {

/// The name of a function or of a named object, as far as the compiler qualifies it.
template <const auto& Entity>
[[nodiscard]] constexpr std::string_view entity_name() {
  auto text = pretty_entity<Entity>();
  const auto start = text.find("Entity = ");
  if (start == std::string_view::npos) return text;
  text.remove_prefix(start + std::string_view("Entity = ").size());
  auto end = text.find(';');  // GCC appends `; std::string_view = ...`
  if (end == std::string_view::npos) end = text.rfind(']');
  text = text.substr(0, end);
  if (text.starts_with('&')) text.remove_prefix(1);
  return text;
}

}  // namespace detail

}  // namespace msgbus
