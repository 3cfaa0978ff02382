#pragma once

/// The invocation path of the async family: awaits a handler with what it needs.

#include <msgbus/di/inject.hpp>
#include <msgbus/exec/yield.hpp>

#include <asio/awaitable.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::exec {

/// The values of dependencies that are not overridden, in one object: each made after those it
/// needs and destroyed before them.
struct nothing_kept {};

template <const auto& D, class Outer>
struct kept_values {
  using given = typename di::form_of<std::remove_cvref_t<decltype(D)>>::provided;
  using needs = typename di::form_of<std::remove_cvref_t<decltype(D)>>::needs;

  Outer outer{};
  given value = di::call_plain(D, outer, needs{});
};

template <const auto& Wanted, const auto& D, class Outer>
auto* value_in(const kept_values<D, Outer>& all) noexcept {
  if constexpr (std::is_same_v<di::dependency<Wanted>, di::dependency<D>>) {
    using value = di::value_of<decltype(D)>;
    return const_cast<value*>(std::addressof(all.value));  // it was made as no const object
  } else {
    return value_in<Wanted>(all.outer);
  }
}

template <class Kept, class... Ds>
struct keep_all {
  using type = Kept;
};
template <class Kept, const auto& D, class... Ds>
struct keep_all<Kept, di::dependency<D>, Ds...> : keep_all<kept_values<D, Kept>, Ds...> {};

template <class List>
struct kept_in_order;
template <class... Ds>
struct kept_in_order<type_list<Ds...>> : keep_all<nothing_kept, Ds...> {};

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

  template <class... Ds>
  static constexpr bool any_of(type_list<Ds...>, [[maybe_unused]] di::shape kind) {
    return ((di::form_of_dependency<Ds>::kind == kind) || ...);
  }

 public:
  static constexpr bool has_async =
      any_of(order{}, di::shape::awaited) || any_of(order{}, di::shape::awaited_with_clean_up);
  static constexpr bool has_clean_up = any_of(order{}, di::shape::with_clean_up);
  static constexpr bool has_required = any_of(order{}, di::shape::required);

  /// Whether the handler names no dependency.
  static constexpr bool needs_nothing = named::size == 0;

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
        co_await invoke(call, di::no_values{}, with.context);
      } catch (...) {
        failed.add(std::current_exception());
      }
    } else {
      if constexpr (!has_async && !has_clean_up && !has_required) {
        if (with.overrides.empty()) {
          try {
            const typename kept_in_order<order>::type all{};
            co_await invoke(call, all, with.context);
          } catch (...) {
            failed.add(std::current_exception());
          }
          co_return;
        }
      }
      const bool throws = co_await asio::this_coro::throw_if_cancelled();
      async_scope in(with.overrides, with.who);
      std::vector<void*> needed;
      auto handle = [&] {
        const di::erased_values<named> all{needed.data()};
        return invoke(call, all, with.context);
      };
      try {
        co_await in.provide_all(di::needs_of<named>::all(), needed, handle);
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

  template <class Call, class Values>
  static asio::awaitable<void> invoke(Call& call, const Values& all, const msgbus::context& known) {
    using R = decltype(call(argument<Ps>(all, known)...));
    if constexpr (std::is_same_v<R, asio::awaitable<void>>) {
      return call(argument<Ps>(all, known)...);
    } else {
      return invoke_and_forget(call, all, known);
    }
  }

  template <class Call, class Values>
  static asio::awaitable<void> invoke_and_forget(Call& call, Values all,
                                                 const msgbus::context& known) {
    if constexpr (awaitable_result<decltype(call(argument<Ps>(all, known)...))>) {
      (void)co_await call(argument<Ps>(all, known)...);
    } else {
      (void)call(argument<Ps>(all, known)...);
      co_return;
    }
  }
};

}  // namespace msgbus::exec
