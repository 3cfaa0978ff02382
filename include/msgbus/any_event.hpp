#pragma once

/// A handler's view of an event of any type (T4).

#include <msgbus/detail/core/type_key.hpp>

#include <iosfwd>

namespace msgbus {

/// A view of the event. It is valid until the handler has returned.
class any_event {
 public:
  /// Made by the library.
  explicit any_event(detail::value_ref event) noexcept : event_(event) {}

  /// The name of the event's type, for people.
  [[nodiscard]] std::string_view name() const noexcept { return event_.type->name; }

  /// The event if its type is exactly `T`, or else null.
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return detail::is_type<T>(event_.type) ? static_cast<const T*>(event_.data) : nullptr;
  }

 private:
  detail::value_ref event_;
};
std::ostream& operator<<(std::ostream& out, const any_event& value);

}  // namespace msgbus
