#pragma once

/// Handlers of operations, plain or coroutines: from the user's callable to an entry of a service.

#include <msgbus/detail/async/handler.hpp>
#include <msgbus/detail/async/service_core.hpp>
#include <msgbus/detail/component/operation_signature.hpp>

namespace msgbus::async::detail {

/// The result of a handler for its caller; for an awaitable, its value.
template <class R>
struct result_given {
  using type = R;
};
template <class T>
struct result_given<asio::awaitable<T>> {
  using type = T;
};

/// The stored form of a parameter for a coroutine that has not started: a `depends` by value, since
/// a plain handler may take it by reference.
template <class P>
using kept_in_frame = std::conditional_t<component::is_depends<P>, std::remove_cvref_t<P>, P>;

template <class F, class Parts, class Inputs = typename Parts::inputs,
          class Needs = typename Parts::needs>
class operation_handler;

template <class F, class Parts, class... Inputs, class... Needs>
class operation_handler<F, Parts, type_list<Inputs...>, type_list<Needs...>> final
    : public entry_with_policy<operation_entry> {
  using result = typename Parts::result;
  using given = typename result_given<result>::type;
  using plain_needs = component::injector<Needs...>;
  using needs = exec::async_injector<Needs...>;
  using bound = std::tuple<component::bound_argument<Inputs>...>;
  static constexpr bool is_coroutine = awaitable_result<result>;
  static_assert(!is_coroutine || is_awaitable<result>,
                "msgbus: a handler that is awaited returns asio::awaitable<T>, with its usual "
                "executor");
  static_assert(!is_coroutine || !needs::has_reference,
                "msgbus: a coroutine takes depends<...> by value: a reference would dangle before "
                "the coroutine runs");
  static_assert(!is_coroutine || !needs::has_clean_up,
                "msgbus: a coroutine handler needs a dependency that cleans up with msgbus::yield, "
                "which cannot wait for it; let it clean up with async::yield");

 public:
  operation_handler(std::uint64_t order, std::string called, F&& f, msgbus::policy handler_policy,
                    const registered_at& line)
      : entry_with_policy<operation_entry>(&handler_policy, order, std::move(called), line),
        f_(std::move(f)) {}

  component::operation_facts facts() const noexcept override {
    return {{plain_needs::listed(), is_coroutine, nullptr}, &input_types, type_name<given>()};
  }

  const stored_policy* policy_of() const noexcept override { return this->policy.get(); }

  step_taken run(command& asked, asio::awaitable<void>* start) override {
    asked.may_move = !policy || policy->retry.attempts <= 1;
    if (!start) {
      component::check_result<given>(asked.result(), name);
      if constexpr (!is_coroutine && !needs::has_async) {
        if (!must_suspend(needs::erased(), asked.d)) {
          if (policy) {
            (void)bind(asked);
            return run_guarded(handler_in_hand(*this, &*f_), asked.d, &run_inline);
          }
          run_inline(&*f_, asked.d.message, asked.d.injection_for(*this), asked.d.failed);
          return step_taken::ran;
        }
      }
      (void)bind(asked);  // wrong arguments are reported before anything runs
    }
    return start_operation(erased, handler_in_hand(*this, &*f_), asked, start);
  }

 private:
  [[nodiscard]] static command& command_in(value_ref message) noexcept {
    return *static_cast<command*>(const_cast<void*>(message.data));
  }

  static void run_inline(void* f, value_ref message, const component::injection& with, failures&) {
    command& asked = command_in(message);
    bound arguments = bind(asked);
    auto called = [&]() -> result {
      auto with_needs = [&](Needs... needed) -> result {
        return call_with(*static_cast<F*>(f), arguments, std::forward<Needs>(needed)...);
      };
      return plain_needs::run(with, with_needs);
    };
    component::store_result<result>(asked.result(), asked.name, called);
  }

  static void call(void* f, value_ref message, void* const* needed, const context& ctx,
                   asio::awaitable<void>* start) {
    command& asked = command_in(message);
    if constexpr (is_coroutine) {
      auto begin = [&](Needs... given_needs) {
        return finish(static_cast<F*>(f), command_ptr(&asked), std::forward<Needs>(given_needs)...);
      };
      *start = needs::call_with(begin, needed, ctx);
    } else {
      bound arguments = bind(asked);
      auto called = [&]() -> result {
        auto with_needs = [&](Needs... given_needs) -> result {
          return call_with(*static_cast<F*>(f), arguments, std::forward<Needs>(given_needs)...);
        };
        return needs::call_with(with_needs, needed, ctx);
      };
      component::store_result<result>(asked.result(), asked.name, called);
    }
  }
  static constexpr handler_call erased{&call, needs::erased(), is_coroutine};

  static asio::awaitable<void> finish(F* f, command_ptr asked, kept_in_frame<Needs>... needed) {
    bound arguments = bind(*asked);
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

  static bound bind(const command& asked) {
    return bind(asked, std::index_sequence_for<Inputs...>{});
  }

  template <std::size_t... I>
  static bound bind(const command& asked, std::index_sequence<I...>) {
    const auto arguments = asked.arguments();
    if (arguments.size() != sizeof...(Inputs)) {
      throw_bad_count_of(asked, arguments);
    }
    const auto as_given = [&](std::size_t i) {
      component::argument one = arguments[i];
      if (!asked.may_move) one.is_rvalue = false;  // the next attempt needs it
      return one;
    };
    (void)as_given;
    // Braces: checked from the first argument to the last.
    return bound{
        component::bound_argument<Inputs>(as_given(I), component::position{asked.name, I + 1})...};
  }

  [[noreturn]] static void throw_bad_count_of(const command& asked,
                                              std::span<const component::argument> arguments) {
    throw_bad_count(asked.name, sizeof...(Inputs), input_types(), arguments);
  }

  static std::string input_types() {
    std::string types;
    ((types += (types.empty() ? "" : ", ") + std::string(type_name<Inputs>())), ...);
    return types;
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

  component::callable_holder<F> f_;
};

}  // namespace msgbus::async::detail
