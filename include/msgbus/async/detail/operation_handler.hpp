#pragma once

/// Handlers of operations, plain or coroutines: how a user's callable becomes an entry of a
/// service.

#include <msgbus/async/detail/attempts.hpp>
#include <msgbus/async/detail/handler.hpp>
#include <msgbus/async/detail/service_core.hpp>
#include <msgbus/component/operation_parts.hpp>
#include <msgbus/policy/held_policy.hpp>

namespace msgbus::async::detail {

/// What a handler's result is to whoever called: of an awaitable, what that gives.
template <class R>
struct result_given {
  using type = R;
};
template <class T>
struct result_given<asio::awaitable<T>> {
  using type = T;
};

/// What a coroutine that has not begun holds for a parameter: a `depends` itself, for a plain
/// handler may take it by reference.
template <class P>
using kept_in_frame = std::conditional_t<di::is_depends<P>, std::remove_cvref_t<P>, P>;

template <class F, class Parts, class Inputs = typename Parts::inputs,
          class Needs = typename Parts::needs>
class operation_handler;

template <class F, class Parts, class... Inputs, class... Needs>
class operation_handler<F, Parts, type_list<Inputs...>, type_list<Needs...>> final
    : public operation_entry {
  using result = typename Parts::result;
  using given = typename result_given<result>::type;
  using plain_needs = di::injector<Needs...>;
  using needs = exec::async_injector<Needs...>;
  using bound = std::tuple<component::bound_argument<Inputs>...>;
  static constexpr bool is_coroutine = awaitable_result<result>;
  static_assert(!is_coroutine || is_awaitable<result>,
                "msgbus: a handler that is awaited returns asio::awaitable<T>, with its usual "
                "executor");
  static_assert(!is_coroutine || !needs::has_reference,
                "msgbus: a coroutine takes depends<...> by value: what a reference names is gone "
                "before the coroutine runs");
  static_assert(!is_coroutine || !needs::has_clean_up,
                "msgbus: a coroutine handler needs a dependency that cleans up with msgbus::yield, "
                "which cannot wait for it; let it clean up with async::yield");

 public:
  operation_handler(std::uint64_t order, std::string called, F&& f, msgbus::policy how)
      : operation_entry(order, std::move(called)),
        f_(std::move(f)),
        policy_(std::move(how)),
        is_plain_(policy_.is_plain()) {}

  step_taken run(command& asked, asio::awaitable<void>* start) override {
    if (!start) {
      component::check_result<given>(asked.result(), name);
      if constexpr (!is_coroutine && !needs::has_async) {
        if (is_plain_ && !needs::must_suspend(asked.service->core::shared.overrides_state())) {
          bound arguments = bind(asked, true);
          auto call = [&]() -> result {
            auto with_needs = [&](Needs... needed) -> result {
              return call_with(*f_, arguments, std::forward<Needs>(needed)...);
            };
            return plain_needs::run(asked.d.injection_for(*this), with_needs);
          };
          component::store_result<result>(asked.result(), name, call);
          return step_taken::ran;
        }
      }
      (void)bind(asked, policy_.retry.attempts <=
                            1);  // what is wrong with the arguments is said before anything runs
      return step_taken::suspends;
    }
    const command_ptr kept(&asked);
    if constexpr (needs::needs_nothing) {
      *start = start_bare(bare_operation{&*f_, &call_bare, at_once()}, *this, policy_, kept);
    } else if (is_plain_) {
      *start = needs::run(asked.d.injection_for(*this), started{&*f_, kept, true}, asked.d.failed);
    } else {
      const bool only_once = policy_.retry.attempts <= 1;
      auto make = [f = &*f_, kept, only_once](attempt& mine) {
        return needs::run(mine.injection(), started{f, kept, only_once}, mine.failed);
      };
      *start = run_attempts(asked.service->self(), *this, keep(kept), *asked.d.known, name, policy_,
                            make, asked.d.failed);
    }
    return step_taken::suspends;
  }

 private:
  /// A call that is about to be made. Of a plain function the awaitable is empty: it has ended.
  struct started {
    asio::awaitable<void> operator()(Needs... needed) const {
      if constexpr (is_coroutine) {
        return finish(f, asked, may_move, std::forward<Needs>(needed)...);
      } else {
        call_plainly(*f, *asked, may_move, std::forward<Needs>(needed)...);
        return {};
      }
    }
    F* f;
    command_ptr asked;
    bool may_move;
  };

  static asio::awaitable<void> call_bare(void* f, const command_ptr& asked, bool may_move,
                                         const context& known) {
    const started call{static_cast<F*>(f), asked, may_move};
    return needs::call_bare(call, known);
  }

  static constexpr auto at_once() noexcept -> decltype(bare_operation::call_at_once) {
    if constexpr (is_coroutine) {
      return nullptr;
    } else {
      return &call_at_once;
    }
  }
  static void call_at_once(void* f, command& asked, bool may_move, const context& known) {
    auto call = [&](Needs... needed) {
      call_plainly(*static_cast<F*>(f), asked, may_move, std::forward<Needs>(needed)...);
    };
    needs::call_bare(call, known);
  }
  static void call_plainly(F& f, command& asked, bool may_move, Needs... needed) {
    bound arguments = bind(asked, may_move);
    auto call = [&]() -> result { return call_with(f, arguments, std::forward<Needs>(needed)...); };
    component::store_result<result>(asked.result(), asked.name, call);
  }

  static asio::awaitable<void> finish(F* f, command_ptr asked, bool may_move,
                                      kept_in_frame<Needs>... needed) {
    bound arguments = bind(*asked, may_move);
    if constexpr (std::is_void_v<given>) {
      co_await call_with(*f, arguments, std::forward<Needs>(needed)...);
      auto nothing = [] {};
      component::store_result<void>(asked->result(), asked->name, nothing);
    } else {
      auto running = call_with(*f, arguments, std::forward<Needs>(needed)...);
      given value = co_await std::move(running);
      auto give = [&]() -> given { return std::move(value); };
      component::store_result<given>(asked->result(), asked->name, give);
    }
  }

  static bound bind(const command& asked, bool may_move) {
    return bind(asked, may_move, std::index_sequence_for<Inputs...>{});
  }

  template <std::size_t... I>
  static bound bind(const command& asked, bool may_move, std::index_sequence<I...>) {
    const auto arguments = asked.arguments();
    if (arguments.size() != sizeof...(Inputs)) {
      throw_bad_count_of(asked, arguments);
    }
    const auto as_given = [&](std::size_t i) {
      component::argument one = arguments[i];
      if (!may_move) one.is_rvalue = false;  // it will be needed again
      return one;
    };
    (void)as_given;
    // Braces: checked from the first argument to the last.
    return bound{
        component::bound_argument<Inputs>(as_given(I), component::position{asked.name, I + 1})...};
  }

  [[noreturn]] static void throw_bad_count_of(const command& asked,
                                              std::span<const component::argument> arguments) {
    std::string types;
    ((types += (types.empty() ? "" : ", ") + std::string(type_name<Inputs>())), ...);
    throw_bad_count(asked.name, sizeof...(Inputs), types, arguments);
  }

  /// Calls the handler; by-value parameters are made from the arguments here.
  static result call_with(F& f, bound& arguments, Needs... needed) {
    return call_with(f, arguments, std::index_sequence_for<Inputs...>{},
                     std::forward<Needs>(needed)...);
  }
  template <std::size_t... I>
  static result call_with(F& f, bound& arguments, std::index_sequence<I...>, Needs... needed) {
    return apply(f, std::tuple<Needs&&...>(std::forward<Needs>(needed)...),
                 std::get<I>(arguments).get()...);
  }
  static result apply(F& f, std::tuple<Needs&&...> needed, Inputs... inputs) {
    std::tuple<Inputs&&...> in(std::forward<Inputs>(inputs)...);
    return Parts::apply(f, in, needed);
  }

  void destroy_callable() noexcept override { f_.destroy(); }

  component::held_callable<F> f_;
  const held_policy policy_;
  const bool is_plain_;
};

}  // namespace msgbus::async::detail
