#pragma once

/// The parameter of a handler that a dependency provides.

#include <msgbus/detail/component/dependency.hpp>

#include <memory>

namespace msgbus {

/// Names a dependency by reference: a function, a `constexpr` callable object or a `required<T>`.
/// Gives access to its value. The value is resolved once per run of the handler, however many
/// parameters name it (I1). It lives until the handler has ended; values are released in reverse
/// order (I2). Without an override, the dependency costs what a direct call costs (I6).
template <const auto& Dependency>
class depends {
  static_assert(!std::is_pointer_v<std::remove_cvref_t<decltype(Dependency)>>,
                "msgbus: depends<D> names the dependency itself, not its address");

 public:
  /// The type of the value.
  using value_type = component::value_of<decltype(Dependency)>;

  /// Refers to a value, so that a test can call a handler directly: `handle(event, db)`.
  depends(value_type& value) noexcept : value_(std::addressof(value)) {}
  /// As above, for a temporary, which lives until the end of the call.
  depends(std::remove_const_t<value_type>&& value) noexcept : value_(std::addressof(value)) {}

  /// The value.
  [[nodiscard]] value_type& get() const noexcept { return *value_; }
  /// The value.
  [[nodiscard]] value_type& operator*() const noexcept { return *value_; }
  /// The value.
  [[nodiscard]] value_type* operator->() const noexcept { return value_; }
  /// The value.
  operator value_type&() const noexcept { return *value_; }

 private:
  value_type* value_;
};

}  // namespace msgbus
