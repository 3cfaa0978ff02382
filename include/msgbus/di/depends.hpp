#pragma once

/// A parameter that is filled in from a dependency.

#include <msgbus/di/dependency.hpp>

#include <memory>

namespace msgbus {

/// Names `Dependency` by reference: a function, a `constexpr` callable object or a `required<T>`.
/// It refers to the dependency's value, which lives until the handler has ended and is released
/// after it, in reverse order (I2). Resolved once per invocation, however many parameters name it
/// (I1).
template <const auto& Dependency>
class depends {
  static_assert(!std::is_pointer_v<std::remove_cvref_t<decltype(Dependency)>>,
                "msgbus: depends<D> names the dependency itself, not its address");

 public:
  using value_type = di::value_of<decltype(Dependency)>;

  /// From a value, so that a test may call a handler directly: `handle(event, db)`.
  depends(value_type& value) noexcept : value_(std::addressof(value)) {}
  depends(std::remove_const_t<value_type>&& value) noexcept : value_(std::addressof(value)) {}

  [[nodiscard]] value_type& get() const noexcept { return *value_; }
  [[nodiscard]] value_type& operator*() const noexcept { return *value_; }
  [[nodiscard]] value_type* operator->() const noexcept { return value_; }
  operator value_type&() const noexcept { return *value_; }

 private:
  value_type* value_;
};

}  // namespace msgbus
