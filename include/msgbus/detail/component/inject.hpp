#pragma once

/// The invocation path: calls a handler with its injected parameters.

#include <msgbus/context.hpp>
#include <msgbus/detail/component/overlay.hpp>

#include <concepts>
#include <optional>
#include <span>

// The path of a handler without overrides must be compiled into one function with the handler.
#if defined(__GNUC__)
#define MSGBUS_ALWAYS_INLINE [[gnu::always_inline]]
#else
#define MSGBUS_ALWAYS_INLINE
#endif

namespace msgbus::component {

/// The sources of the injected values of one invocation.
struct injection {
  const provider_state& overrides;
  const msgbus::context& context;
  requester requested_by;
};

template <class P>
inline constexpr bool is_context = std::is_same_v<std::remove_cvref_t<P>, context>;

/// The types of parameters that are injected.
template <class P>
inline constexpr bool is_injected =
    (is_depends<P> || is_context<P>) &&
    (!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>);

/// The result of a call, constructed in place. No conversion takes part: a type such as `std::any`
/// would store the converted object instead of the result.
template <class T>
struct made_in_place {
  template <class Call>
  made_in_place(std::in_place_t, Call& call) : value(call()) {}
  T value;
};

/// Stores the result of a nested call.
template <class R>
class result_of {
 public:
  template <class Call>
  void run(Call& call) {
    if constexpr (std::is_reference_v<R>) {
      R result = call();
      result_ = std::addressof(result);
    } else {
      result_.emplace(std::in_place, call);
    }
  }
  R take() {
    if constexpr (std::is_reference_v<R>) {
      return static_cast<R>(*result_);
    } else {
      return std::move(result_->value);
    }
  }

 private:
  std::conditional_t<std::is_reference_v<R>, std::remove_reference_t<R>*,
                     std::optional<made_in_place<R>>>
      result_{};
};

template <>
class result_of<void> {
 public:
  template <class Call>
  void run(Call& call) {
    call();
  }
  void take() {}
};

/// Runs code that needs dependencies, with pointers to their values.
using with_values = function_ref<void(void* const* needed)>;

/// The resolution of a list of dependencies when some may be overridden or clean up. One function
/// for each list of dependencies, independent of the handler.
template <class Named, class Order = typename in_order<type_list<>, type_list<>, Named>::type>
class resolver;

template <const auto&... Named, class Order>
class resolver<type_list<dependency<Named>...>, Order> {
  using named = type_list<dependency<Named>...>;

  template <class... Ds>
  static constexpr bool any_of(type_list<Ds...>, [[maybe_unused]] shape kind) {
    return ((form_of_dependency<Ds>::kind == kind) || ...);
  }

 public:
  static constexpr bool has_required = any_of(Order{}, shape::required);
  static constexpr bool has_clean_up = any_of(Order{}, shape::with_clean_up);
  /// Whether a default of one of these dependencies is async.
  static constexpr bool has_async =
      any_of(Order{}, shape::awaited) || any_of(Order{}, shape::awaited_with_clean_up);
  /// Whether direct calls resolve them while none is overridden.
  static constexpr bool is_direct = !has_required && !has_clean_up && !has_async;
  /// Whether the fast path of overlay.hpp is possible. It is fast only if it is inlined.
  static constexpr bool has_overlay = !has_clean_up && Order::size <= overlay<Order, named>::limit;

  /// Runs `rest` if the fast path is impossible, under a guard if needed. Failures are thrown, or
  /// added to `failed` if given.
  static void run(const injection& with, with_values rest, failures* failed) {
    auto handle = [&](const auto& all) {
      void* const needed[] = {erased(value_in<Named>(all))...};
      rest(needed);
    };
    if constexpr (has_overlay) {
      run_on_demand(with, handle, failed);
    } else {
      if constexpr (!has_required) {
        if (with.overrides.empty()) return run_defaults(with, handle, failed);
      }
      const routing::guard guard(with.overrides.guarded());
      if constexpr (!has_required) {
        if (!any_overridden(with.overrides, Order{})) return run_defaults(with, handle, failed);
      }
      run_on_demand(with, handle, failed);
    }
  }

 private:
  template <const auto&... Ds>
  static bool any_overridden(const provider_state& overrides, type_list<dependency<Ds>...>) {
    return ((overrides.find(identity_of(Ds)) != nullptr) || ...);
  }

  template <class Handle>
  static void run_defaults(const injection& with, Handle& handle, failures* failed) {
    if constexpr (has_clean_up) {
      run_in_scope(with, failed, [&](scope& in) { resolve(&in, Order{}, no_values{}, handle); });
    } else {
      resolve(nullptr, Order{}, no_values{}, handle);
    }
  }

  template <class Handle>
  static void run_on_demand(const injection& with, Handle& handle, failures* failed) {
    run_in_scope(with, failed, [&](scope& in) { need(in, named{}, no_values{}, handle); });
  }

  template <class Body>
  static void run_in_scope(const injection& with, failures* failed, Body body) {
    scope in(with.overrides, with.requested_by);
    in.run([&] { body(in); });
    if (failed) return failed->take(in.failed());
    in.failed().throw_any();
  }
};

/// Injects the dependencies of a handler with the parameters `Ps`, and calls it.
template <class... Ps>
class injector {
  using named = typename named_by<type_list<Ps...>>::type;
  using resolved = resolver<named>;

 public:
  /// Whether a default of one of these dependencies is async.
  static constexpr bool has_async = resolved::has_async;
  static constexpr bool has_context = (is_context<Ps> || ...);

  /// Lists the dependencies, for descriptions; null if there are none.
  static constexpr auto listed() noexcept -> std::span<const dependency_ref> (*)() {
    if constexpr (named::size == 0) {
      return nullptr;
    } else {
      return &needs_of<named>::all;
    }
  }

  /// Runs `call(ps...)` with every parameter injected, and returns its result. Throws the failure;
  /// a failing handler with failing clean-ups throws one `dispatch_error`. If `failed` is given and
  /// `call` returns nothing, failures may be added to it instead.
  template <class Call>
  MSGBUS_ALWAYS_INLINE static decltype(auto) run(const injection& with, Call& call,
                                                 [[maybe_unused]] failures* failed = nullptr) {
    using R = decltype(call(std::declval<Ps>()...));
    static_assert(!has_async,
                  "msgbus: an awaitable dependency belongs to msgbus::async; "
                  "async::blocking(dependency) makes a sync one of it");
    if constexpr (named::size == 0) {
      return call(argument<Ps>(with, no_values{})...);
    } else {
      if constexpr (resolved::is_direct) {
        auto directly = [&](const auto& all) -> R { return call(argument<Ps>(with, all)...); };
        if (with.overrides.empty()) return resolve(nullptr, order{}, no_values{}, directly);
      }
      return run_overridden<R>(with, call, failed);
    }
  }

 private:
  using order = typename in_order<type_list<>, type_list<>, named>::type;

  template <class R, class Call>
  [[gnu::noinline]] static R run_overridden(const injection& with, Call& call, failures* failed) {
    if constexpr (resolved::has_overlay) {
      const routing::guard guard(with.overrides.guarded());
      overlay<order, named> found(with.overrides);
      auto directly = [&](const auto& all) -> R { return call(argument<Ps>(with, all)...); };
      if (found.fits()) return found.resolve(directly);
      return run_erased<R>(with, call, failed);
    } else {
      return run_erased<R>(with, call, failed);
    }
  }

  template <class R, class Call>
  [[gnu::noinline]] static R run_erased(const injection& with, Call& call, failures* failed) {
    auto handle = [&](void* const* needed) -> R {
      return call(argument<Ps>(with, erased_values<named>{needed})...);
    };
    if constexpr (std::is_void_v<R>) {
      resolved::run(with, handle, failed);
    } else {
      result_of<R> result;
      auto rest = [&](void* const* needed) {
        auto called = [&]() -> R { return handle(needed); };
        result.run(called);
      };
      resolved::run(with, rest, nullptr);  // throws if there is no result
      return result.take();
    }
  }

  template <class P, class Values>
  static decltype(auto) argument(const injection& with, const Values& all) {
    if constexpr (is_depends<P>) {
      return as_depends(all, dependency_of<P>{});
    } else {
      return (with.context);
    }
  }
};

}  // namespace msgbus::component

#undef MSGBUS_ALWAYS_INLINE
