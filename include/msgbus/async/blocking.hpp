#pragma once

/// Async dependencies for sync components.

#include <msgbus/async/yield.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/exec/async_resolution.hpp>
#include <msgbus/yield.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace msgbus::async {

namespace detail {

/// Runs the awaitable on an `io_context` of its own, to the end, on this thread.
void run_to_end(asio::awaitable<void> work);

template <class Entity, class Signature>
class blocking_entity;

template <class Entity, class R, class... Ps>
class blocking_entity<Entity, signature<R, Ps...>> {
  using given = typename R::value_type;

 public:
  explicit blocking_entity(Entity entity) : entity_(std::move(entity)) {}

  given operator()(Ps... needed) const {
    component::result_of<given> result;
    run_to_end(store(entity_(std::forward<Ps>(needed)...), result));
    return result.take();
  }

 private:
  static asio::awaitable<void> store(R running, component::result_of<given>& result) {
    given value = co_await std::move(running);
    auto give = [&]() -> given { return std::move(value); };
    result.run(give);
  }

  Entity entity_;
};

template <class Entity, class R, class T, class... Ps>
class blocking_entity<Entity, signature<R, yield<T>, Ps...>> {
 public:
  explicit blocking_entity(Entity entity) : entity_(std::move(entity)) {}

  void operator()(msgbus::yield<T> rest, Ps... needed) const {
    const component::provider_state none;
    exec::async_resolution in(none,
                              {this, [](const void*) { return std::string("async::blocking"); }});
    void* value = nullptr;
    auto run_rest = [&](void* const*) {
      rest(static_cast<T>(*static_cast<std::remove_reference_t<T>*>(value)));
      return asio::awaitable<void>();
    };
    in.begin({}, run_rest);
    static constexpr component::dependency_info info{
        [] { return std::string("async::blocking"); }, {}, nullptr, {}};
    exec::async_yielding yielding(in, info, value);
    run_to_end(entity_(yield<T>(yielding), std::forward<Ps>(needed)...));
    yielding.ended();
    // Exceptions that the dependency has caught were collected, also its own misuse (I3, I5).
    failures& noted = in.failed();
    if (!noted.empty()) std::rethrow_exception(noted[noted.size() - 1]);
  }

 private:
  Entity entity_;
};

}  // namespace detail

/// Makes a sync implementation of an async dependency, so that a sync component can use it:
/// `consumer.override(get_session, async::blocking(open_session))`. Each use runs an `io_context`
/// of its own to the end, on the dispatching thread, which blocks meanwhile. The handler runs
/// inside it.
///
/// Throws: when used, the exceptions of the dependency.
template <class Dependency>
[[nodiscard]] auto blocking(const Dependency& dependency) {
  using entity = std::decay_t<Dependency>;
  static_assert(component::is_async(component::form_of<entity>::kind),
                "msgbus: async::blocking is for async dependencies");
  return detail::blocking_entity<entity, detail::signature_of<entity>>(dependency);
}

}  // namespace msgbus::async
