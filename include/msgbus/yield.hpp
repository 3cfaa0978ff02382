#pragma once

/// The `yield` parameter of a dependency that cleans up.

#include <msgbus/detail/component/scope.hpp>

#include <memory>
#include <type_traits>

namespace msgbus {

namespace component {

/// One call of a dependency with clean-up. Checks that it yields exactly once, and passes it the
/// outcome of the rest (I3, I5).
class yielding {
 public:
  yielding(scope& owner, const dependency_info& dependency, continuation rest) noexcept
      : scope_(owner), dependency_(dependency), rest_(rest) {}

  /// Runs the rest with the value, and throws its exceptions.
  void operator()(void* value);

  /// Called when the dependency has returned. Throws if it did not yield.
  void ended() const;

 private:
  scope& scope_;
  const dependency_info& dependency_;
  continuation rest_;
  bool yielded_ = false;
};

}  // namespace component

/// The first parameter of a dependency that cleans up. Call it once, with the value:
///
///     void open_session(msgbus::yield<session&> yield) {
///       session s = acquire();
///       yield(s);    // the handler runs here; its exception comes out of this call
///       s.commit();  // reached only on success
///     }
///
/// A handler's failure is reported even if the dependency catches it; every dependency around a
/// handler sees it (I3). Do not keep the object after the dependency has returned.
template <class T>
class yield {
 public:
  /// Made by the library.
  explicit yield(component::yielding& call) noexcept : call_(call) {}
  yield(const yield&) = delete;
  yield& operator=(const yield&) = delete;

  /// Runs the handler, and the dependencies inside this one, with the value.
  ///
  /// Throws: the exception of the handler; `misused_dependency` on the second call.
  void operator()(T value) const {
    call_(const_cast<std::remove_const_t<std::remove_reference_t<T>>*>(std::addressof(value)));
  }

 private:
  component::yielding& call_;
};

}  // namespace msgbus
