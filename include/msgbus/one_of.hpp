#pragma once

/// An event of one of several types, as the parameter of a handler. The counterpart of Python's `A
/// | B`.

#include <msgbus/detail/core/type_key.hpp>

#include <utility>

namespace msgbus {

/// A view of the event, without a copy. It is valid until the handler has returned.
template <class... Ts>
class one_of {
  static_assert(sizeof...(Ts) > 0, "msgbus: one_of<> names no event type");

 public:
  /// Refers to an event of one of the types, so that a test can call a handler directly.
  template <class T>
    requires(std::same_as<T, Ts> || ...)
  one_of(const T& event) noexcept : event_(detail::value_ref::to(event)) {}

  /// Calls `f(const T&)` with the event as its own type, and returns the result of `f`.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return visit_as<F, Ts...>(f);
  }

  /// The event if its type is exactly `T`, or else null.
  template <class T>
    requires(std::same_as<T, Ts> || ...)
  [[nodiscard]] const T* get_if() const noexcept {
    return detail::is_type<T>(event_.type) ? static_cast<const T*>(event_.data) : nullptr;
  }

  /// The name of the event's type, for people.
  [[nodiscard]] std::string_view name() const noexcept { return event_.type->name; }

 private:
  template <class F, class T, class... Rest>
  decltype(auto) visit_as(F& f) const {
    if constexpr (sizeof...(Rest) == 0) {
      return std::forward<F>(f)(*static_cast<const T*>(event_.data));
    } else {
      if (detail::is_type<T>(event_.type))
        return std::forward<F>(f)(*static_cast<const T*>(event_.data));
      return visit_as<F, Rest...>(f);
    }
  }

  detail::value_ref event_;
};

}  // namespace msgbus
