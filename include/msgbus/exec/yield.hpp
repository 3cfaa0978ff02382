#pragma once

/// How an async dependency that cleans up hands over its value.

#include <msgbus/exec/async_scope.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus {

namespace async {

/// The first parameter of an async dependency that cleans up. Await it once, with the value:
///
///     asio::awaitable<void> open_session(msgbus::async::yield<session&> yield) {
///       session s = co_await acquire();
///       co_await yield(s);    // the handler runs here; its exception comes out of this line
///       co_await s.commit();  // reached only on success
///     }
///
/// A handler's failure is reported whether or not the dependency lets it through (I3). If the
/// handler was cancelled, the exception is Asio's `operation_aborted`, and what the dependency
/// awaits after it runs all the same (I2). Not to be kept beyond the dependency's return.
template <class T>
class yield {
 public:
  explicit yield(exec::async_yielding& call) noexcept : call_(&call) {}

  /// Completes when the handler, and all the dependencies inside this one, have ended; on the
  /// invocation's executor. Throws what the handler threw, and `misused_dependency` the second
  /// time. Cancellation goes to the handler.
  asio::awaitable<void> operator()(T value) const { return run(call_, std::forward<T>(value)); }

 private:
  static asio::awaitable<void> run(exec::async_yielding* call, T value) {
    co_await call->run(
        const_cast<std::remove_const_t<std::remove_reference_t<T>>*>(std::addressof(value)));
  }

  exec::async_yielding* call_;
};

}  // namespace async

namespace exec {

/// Calls an async dependency or implementation, and converts what it gives to a `V`.
template <class Entity, class V>
struct async_entity {
  using form = di::form_of<std::remove_cvref_t<Entity>>;
  using given = typename form::provided;
  using needs = typename form::needs;
  using values = di::erased_values<di::named_by_entity<Entity>>;

  static di::recipe::erased erased() { return reinterpret_cast<di::recipe::erased>(&call); }

  template <const auto& D>
  static di::recipe::erased erased_default() {
    return reinterpret_cast<di::recipe::erased>(&call_default<D>);
  }

 private:
  static asio::awaitable<void> call(void* entity, void* const* needed, async_scope& in,
                                    const di::dependency_info& info, async_rest rest) {
    return run(*static_cast<std::remove_reference_t<Entity>*>(entity), values{needed}, in, info,
               rest);
  }

  template <const auto& D>
  static asio::awaitable<void> call_default(void*, void* const* needed, async_scope& in,
                                            const di::dependency_info& info, async_rest rest) {
    return run(D, values{needed}, in, info, rest);
  }

  static V* as_wanted(std::remove_reference_t<given>* value) noexcept { return value; }

  template <class E>
  static asio::awaitable<void> run(E& entity, values all, async_scope& in,
                                   const di::dependency_info& info, async_rest rest) {
    if constexpr (form::kind == di::shape::awaited_with_clean_up) {
      auto yielded = [&](void* value) {
        return rest(di::erased(as_wanted(static_cast<std::remove_reference_t<given>*>(value))));
      };
      async_yielding yielding(in, info, yielded);
      co_await call_yielding(entity, yielding, all, needs{});
      yielding.ended();
    } else {
      di::kept_as<given, V> value = co_await di::call_plain(entity, all, needs{});
      V* const wanted = std::addressof(value);
      co_await rest(di::erased(wanted));
    }
  }

  template <class E, class... Ps>
  static asio::awaitable<void> call_yielding(E& entity, async_yielding& yielding, const values& all,
                                             type_list<Ps...>) {
    return entity(async::yield<given>(yielding), di::as_depends(all, di::dependency_of<Ps>{})...);
  }
};

}  // namespace exec
}  // namespace msgbus
