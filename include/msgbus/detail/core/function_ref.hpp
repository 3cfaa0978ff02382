#pragma once

/// A reference to a callable, for callbacks from compiled code into templates. Does not own it.

#include <msgbus/detail/core/config.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::detail {

template <class Signature>
class function_ref;

/// Two words; valid while the callable exists.
template <class R, class... Args>
class function_ref<R(Args...)> {
 public:
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, function_ref> &&
             std::is_invocable_r_v<R, F&, Args...>)
  function_ref(F&& callable) noexcept
      : callable_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* f, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(f))(std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(callable_, std::forward<Args>(args)...); }

 private:
  void* callable_;
  R (*call_)(void*, Args...);
};

}  // namespace msgbus::detail
