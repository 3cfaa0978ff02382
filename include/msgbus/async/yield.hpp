#pragma once

/// The `yield` parameter of an async dependency that cleans up.

#include <msgbus/detail/exec/async_resolution.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus {

namespace exec {
struct yield_access;
}  // namespace exec

namespace async {

/// The first parameter of an async dependency that cleans up. Await it once, with the value:
///
///     asio::awaitable<void> open_session(msgbus::async::yield<session&> yield) {
///       session s = co_await acquire();
///       co_await yield(s);    // the handler runs here; its exception comes out of this line
///       co_await s.commit();  // reached only on success
///     }
///
/// A handler's failure is reported even if the dependency catches it (I3). If the handler was
/// cancelled, the exception is Asio's `operation_aborted`; later `co_await`s of the dependency are
/// not interrupted (I2). Do not keep the object after the dependency has returned.
template <class T>
class yield {
 public:
  /// Made by the library.
  explicit yield(exec::async_yielding& call) noexcept : call_(&call) {}

  /// Runs the handler, and the dependencies inside this one, with the value.
  ///
  /// Completes: when all of them have ended.
  /// Throws: the exception of the handler; `misused_dependency` on the second call.
  /// Cancellation: goes to the handler.
  /// Executor: that of the handler's call.
  asio::awaitable<void> operator()(T value) const {
    if constexpr (std::is_reference_v<T>) {
      return call_->run(erased(value));
    } else {
      return run(call_, std::forward<T>(value));
    }
  }

 private:
  friend struct exec::yield_access;

  static void* erased(std::remove_reference_t<T>& value) noexcept {
    return const_cast<std::remove_const_t<std::remove_reference_t<T>>*>(std::addressof(value));
  }

  static asio::awaitable<void> run(exec::async_yielding* call, T value) {
    co_await call->run(erased(value));
  }

  exec::async_yielding* call_;
};

}  // namespace async

namespace exec {

struct yield_access {
  template <class T>
  [[nodiscard]] static once_request* once_of(const async::yield<T>& of) noexcept {
    return of.call_->once();
  }
};

/// Calls an async dependency or implementation, and converts its value to a `V`.
template <class Entity, class V>
struct async_entity {
  using form = component::form_of<std::remove_cvref_t<Entity>>;
  using given = typename form::provided;
  using needs = typename form::needs;
  using values = component::erased_values<component::named_by_entity<Entity>>;

  static component::factory::erased erased() { return erase(&call); }

  template <const auto& D>
  static component::factory::erased erased_default() {
    return erase(&call_default<D>);
  }

 private:
  static constexpr bool yields = form::kind == component::shape::awaited_with_clean_up;
  using result =
      std::conditional_t<yields, async_yielding, std::unique_ptr<component::value_holder>>;

  static component::factory::erased erase(
      std::conditional_t<yields, async_yielding_call, async_call> call) {
    return reinterpret_cast<component::factory::erased>(call);
  }

  static asio::awaitable<void> call(void* entity, void* const* needed, result& to) {
    return start(*static_cast<std::remove_reference_t<Entity>*>(entity), values{needed}, to,
                 needs{});
  }

  template <const auto& D>
  static asio::awaitable<void> call_default(void*, void* const* needed, result& to) {
    return start(D, values{needed}, to, needs{});
  }

  template <class E, class... Ps>
  static asio::awaitable<void> start(E& entity, const values& all, result& to, type_list<Ps...>) {
    if constexpr (yields) {
      to.as_wanted = [](void* yielded) -> void* {
        V* const wanted = static_cast<std::remove_reference_t<given>*>(yielded);
        return component::erased(wanted);
      };
      return entity(async::yield<given>(to),
                    component::as_depends(all, component::dependency_of<Ps>{})...);
    } else {
      return keep(component::call_plain(entity, all, needs{}), to);
    }
  }

  static asio::awaitable<void> keep(asio::awaitable<given> running, result& to) {
    given value = co_await std::move(running);
    auto give = [&]() -> given { return std::move(value); };
    to = std::make_unique<component::typed_value_holder<given, V>>(give);
  }
};

}  // namespace exec
}  // namespace msgbus
