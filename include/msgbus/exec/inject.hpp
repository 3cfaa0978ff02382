#pragma once

/// The invocation path of the async family: awaits a handler with what it needs.

#include <msgbus/di/inject.hpp>
#include <msgbus/exec/needs.hpp>
#include <msgbus/exec/yield.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::exec {

/// The dependencies of a handler with the parameters `Ps`, and how to await it.
template <class... Ps>
class async_injector;
template <class Injector>
struct async_of;
template <class... Ps>
struct async_of<di::injector<Ps...>> {
  using type = async_injector<Ps...>;
};

template <class... Ps>
class async_injector {
  using named = typename di::named_by<type_list<Ps...>>::type;
  using order = typename di::in_order<type_list<>, type_list<>, named>::type;

 public:
  using erased_needs = needs_of<named, order>;
  static constexpr bool has_async = erased_needs::has_async;
  static constexpr bool has_clean_up = erased_needs::has_clean_up;
  static constexpr bool has_required = erased_needs::has_required;

  /// Whether the handler names one by reference, which no coroutine may.
  static constexpr bool has_reference = (di::is_depends_reference<Ps> || ...);

  /// Whether the handler names no dependency.
  static constexpr bool needs_nothing = named::size == 0;

  /// What is known of the dependencies; null if there are none.
  static constexpr const needs* erased() noexcept {
    if constexpr (needs_nothing) {
      return nullptr;
    } else {
      return &erased_needs::erased;
    }
  }

  /// Calls a handler with pointers to what it needs.
  template <class Call>
  static decltype(auto) call_with(Call& call, [[maybe_unused]] void* const* needed,
                                  [[maybe_unused]] const msgbus::context& known) {
    return call(argument<Ps>(di::erased_values<named>{needed}, known)...);
  }

  /// Calls a handler that needs nothing.
  template <class Call>
  static decltype(auto) call_bare(Call& call, const msgbus::context& known) {
    return call(argument<Ps>(di::no_values{}, known)...);
  }

  /// Whether an invocation that could do without must suspend, because of an override.
  static bool must_suspend(const di::provider_state& overrides) {
    if constexpr (has_async) {
      return true;
    } else if constexpr (named::size == 0) {
      return false;
    } else {
      if (!overrides.has_async()) return false;
      const snapshot::guard guard(overrides.guarded());
      return di::any_async(overrides, di::needs_of<named>::all());
    }
  }

  // GCC 12 says that the frame of this coroutine refers to lambdas of other files. So it does.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif
  /// Awaits `call(ps...)`, or calls it if it returns nothing to await, with every parameter filled
  /// in. What fails is added to `failed`; it does not throw.
  template <class Call>
  static asio::awaitable<void> run(di::injection with, Call call, failures& failed) {
    if constexpr (named::size == 0) {
      try {
        auto running = invoke(call, di::no_values{}, with.context);
        if (running.valid()) co_await std::move(running);
      } catch (...) {
        failed.add(std::current_exception());
      }
    } else {
      if constexpr (!has_async && !has_clean_up && !has_required) {
        if (with.overrides.empty()) {
          try {
            const typename kept_in_order<order>::type all{};
            auto running = invoke(call, all, with.context);
            if (running.valid()) co_await std::move(running);
          } catch (...) {
            failed.add(std::current_exception());
          }
          co_return;
        }
      }
      const bool throws = co_await asio::this_coro::throw_if_cancelled();
      async_resolution in(with.overrides, with.who);
      auto handle = [&](void* const* needed) {
        const di::erased_values<named> all{needed};
        return invoke(call, all, with.context);
      };
      try {
        in.begin(di::needs_of<named>::all(), handle);
        co_await in.run();
      } catch (...) {
        in.failed(std::current_exception());
      }
      co_await asio::this_coro::throw_if_cancelled(throws);
      failed.take(in.failed());
    }
  }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

 private:
  template <class P, class Values>
  static decltype(auto) argument(const Values& all, const msgbus::context& known) {
    if constexpr (di::is_depends<P>) {
      return di::as_depends(all, di::dependency_of<P>{});
    } else {
      return (known);
    }
  }

  /// Empty if the call has nothing to await, and so has ended.
  template <class Call, class Values>
  static asio::awaitable<void> invoke(Call& call, const Values& all, const msgbus::context& known) {
    using R = decltype(call(argument<Ps>(all, known)...));
    if constexpr (std::is_same_v<R, asio::awaitable<void>>) {
      return call(argument<Ps>(all, known)...);
    } else if constexpr (awaitable_result<R>) {
      return invoke_and_forget(call, all, known);
    } else {
      (void)call(argument<Ps>(all, known)...);
      return {};
    }
  }

  template <class Call, class Values>
  static asio::awaitable<void> invoke_and_forget(Call& call, Values all,
                                                 const msgbus::context& known) {
    (void)co_await call(argument<Ps>(all, known)...);
  }
};

}  // namespace msgbus::exec
