#pragma once

/// A type-erased holder for the callable of an entry.

#include <msgbus/detail/component/scope.hpp>

#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace msgbus::component {

/// The facts about a callable of one type that only descriptions need.
struct handler_facts {
  std::span<const component::dependency_ref> (*needs)() = nullptr;  // null: no dependencies
  bool is_coroutine = false;
  std::string (*policy)(const void* callable) = nullptr;  // null: the callable has none in it
};

/// The operations on a callable of one type, other than the call.
struct callable_type {
  std::size_t size;
  std::size_t alignment;
  void (*move)(void* to, void* from);  // null: the bytes are copied
  void (*destroy)(void* callable);     // null: no destructor
  handler_facts facts = {};
};

template <class F>
void move_callable(void* to, void* from) {
  ::new (to) F(std::move(*static_cast<F*>(from)));
}
template <class F>
void destroy_callable(void* callable) {
  static_cast<F*>(callable)->~F();
}

/// The facts about a callable without dependencies and policy.
struct no_facts {
  static constexpr handler_facts value = {};
};

/// `Facts::value` are its facts.
template <class F, class Facts = no_facts>
inline constexpr callable_type callable_of{
    sizeof(F), alignof(F), std::is_trivially_copyable_v<F> ? nullptr : &move_callable<F>,
    std::is_trivially_destructible_v<F> ? nullptr : &destroy_callable<F>, Facts::value};

/// Holds a callable; a small one inside the object.
class any_callable {
 public:
  /// Moves the callable out of `*from`. Throws the exceptions of its move constructor.
  any_callable(const callable_type& type, void* from);
  any_callable(const any_callable&) = delete;
  any_callable& operator=(const any_callable&) = delete;
  ~any_callable() { destroy(); }

  [[nodiscard]] void* get() const noexcept { return at_; }

  /// The facts; null once it was destroyed.
  [[nodiscard]] const handler_facts* facts() const noexcept {
    return type_ ? &type_->facts : nullptr;
  }

  /// The callable, with its type.
  template <class F>
  [[nodiscard]] F& as() const noexcept {
    if constexpr (fits_inside<F>) {
      return *std::launder(reinterpret_cast<F*>(const_cast<std::byte*>(inside_)));
    } else {
      return *static_cast<F*>(at_);
    }
  }

  /// Destroys the callable early.
  void destroy() noexcept;

 private:
  static constexpr std::size_t capacity = 32;
  template <class F>
  static constexpr bool fits_inside =
      sizeof(F) <= capacity && alignof(F) <= alignof(std::max_align_t);

  [[nodiscard]] bool is_inside() const noexcept { return at_ == inside_; }
  void free() noexcept;

  const callable_type* type_;  // null after `destroy`
  void* at_;
  alignas(std::max_align_t) std::byte inside_[capacity];
};

}  // namespace msgbus::component
