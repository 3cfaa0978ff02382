#pragma once

/// A user's callable as an entry holds it, its type erased.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace msgbus::component {

/// What is done with a callable of some type, besides calling it.
struct callable_type {
  std::size_t size;
  std::size_t alignment;
  void (*move)(void* to, void* from);  // makes one from another; null: its bytes are copied
  void (*destroy)(void* callable);     // null: there is nothing to do
};

template <class F>
void move_callable(void* to, void* from) {
  ::new (to) F(std::move(*static_cast<F*>(from)));
}
template <class F>
void destroy_callable(void* callable) {
  static_cast<F*>(callable)->~F();
}

template <class F>
inline constexpr callable_type callable_of{
    sizeof(F), alignof(F), std::is_trivially_copyable_v<F> ? nullptr : &move_callable<F>,
    std::is_trivially_destructible_v<F> ? nullptr : &destroy_callable<F>};

/// Holds one; in itself, if it is small.
class any_callable {
 public:
  /// Made from `*from`, which is moved. Throws what moving it throws.
  any_callable(const callable_type& type, void* from);
  any_callable(const any_callable&) = delete;
  any_callable& operator=(const any_callable&) = delete;
  ~any_callable() { destroy(); }

  [[nodiscard]] void* get() const noexcept { return at_; }

  /// The one it was made from, as what it is.
  template <class F>
  [[nodiscard]] F& as() const noexcept {
    if constexpr (fits_inside<F>) {
      return *std::launder(reinterpret_cast<F*>(const_cast<std::byte*>(inside_)));
    } else {
      return *static_cast<F*>(at_);
    }
  }

  /// What it holds is destroyed before the end of this.
  void destroy() noexcept;

 private:
  static constexpr std::size_t room = 32;
  template <class F>
  static constexpr bool fits_inside = sizeof(F) <= room && alignof(F) <= alignof(std::max_align_t);

  [[nodiscard]] bool is_inside() const noexcept { return at_ == inside_; }
  void free() noexcept;

  const callable_type* type_;  // null once it was destroyed
  void* at_;
  alignas(std::max_align_t) std::byte inside_[room];
};

}  // namespace msgbus::component
