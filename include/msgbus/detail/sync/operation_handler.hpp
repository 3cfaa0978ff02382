#pragma once

/// Handlers of operations: from the user's callable to an entry of a service.

#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/component/operation_signature.hpp>
#include <msgbus/detail/sync/service_core.hpp>

#include <tuple>

namespace msgbus::sync::detail {

/// An entry that is called with typed arguments.
template <class R, class... Args>
class typed_operation : public operation_entry {
 public:
  using operation_entry::operation_entry;
  virtual R call(Args&&... args) = 0;
};

/// The guard of a handler without a policy.
struct unguarded {
  static constexpr bool is_plain = true;
};

/// `Parts` is `component::operation_signature` of `F`; `Guard` stands around the handler.
template <class F, class Parts, class Guard = unguarded, class Inputs = typename Parts::inputs,
          class Needs = typename Parts::needs>
class operation_handler;

template <class F, class Parts, class Guard, class... Inputs, class... Needs>
class operation_handler<F, Parts, Guard, type_list<Inputs...>, type_list<Needs...>> final
    : public typed_operation<typename Parts::result, Inputs...> {
  using R = typename Parts::result;
  static_assert(!awaitable_result<R>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");

 public:
  operation_handler(std::uint64_t order, std::string given, const registered_at& line,
                    const service_core& in, F&& f, Guard guard = {})
      : typed_operation<R, Inputs...>(order, std::move(given), line, in),
        guard_(std::move(guard)),
        f_(std::move(f)) {}

  component::operation_facts facts() const noexcept override {
    component::operation_facts all{
        {component::injector<Needs...>::listed(), false, nullptr}, &types, type_name<R>()};
    if constexpr (!Guard::is_plain) {
      all.handler.policy = [](const void* guard) {
        return static_cast<const Guard*>(guard)->text();
      };
      all.callable = &guard_;
    }
    return all;
  }

  R call(Inputs&&... inputs) override {
    return this->watched([&]() -> R { return run(std::forward<Inputs>(inputs)...); });
  }

  void execute(std::span<const component::argument> arguments,
               const component::result_ref& result) override {
    this->watched([&] { execute(arguments, result, std::index_sequence_for<Inputs...>{}); });
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  R run(Inputs&&... inputs) {
    if constexpr (Guard::is_plain) {
      return run_once(no_context, std::forward<Inputs>(inputs)...);
    } else {
      return guard_.template run<R>([&](const context& ctx) -> R {
        return run_once(ctx, Guard::template again<Inputs>(inputs)...);
      });
    }
  }

  R run_once([[maybe_unused]] const context& ctx, Inputs&&... inputs) {
    if constexpr (sizeof...(Needs) == 0) {
      return (*f_)(std::forward<Inputs>(inputs)...);
    } else {
      std::tuple<Inputs&&...> given(std::forward<Inputs>(inputs)...);
      auto call = [&](Needs... needs) -> R {
        std::tuple<Needs&&...> needed(std::forward<Needs>(needs)...);
        return Parts::apply(*f_, given, needed);
      };
      return component::injector<Needs...>::run(this->injection(ctx), call);
    }
  }

  template <std::size_t... I>
  void execute(std::span<const component::argument> arguments, const component::result_ref& result,
               std::index_sequence<I...>) {
    if (arguments.size() != sizeof...(Inputs)) {
      this->throw_bad_count(sizeof...(Inputs), types(), arguments);
    }
    // Braces, so the arguments are checked in order.
    std::tuple<component::bound_argument<Inputs>...> bound{
        component::bound_argument<Inputs>(arguments[I], component::position{this->name, I + 1})...};
    auto call = [&]() -> R {
      if constexpr (sizeof...(Needs) == 0 && Guard::is_plain) {
        return (*f_)(std::get<I>(bound).get()...);
      } else {
        return run_bound(std::get<I>(bound).get()...);
      }
    };
    component::store_result<R>(result, this->name, call);
  }

  // Constructs by-value parameters once; they are moved into the handler.
  R run_bound(Inputs... inputs) { return run(std::forward<Inputs>(inputs)...); }

  static std::string types() {
    std::string all;
    ((all += (all.empty() ? "" : ", ") + std::string(type_name<Inputs>())), ...);
    return all;
  }

  [[no_unique_address]] Guard guard_;
  component::callable_holder<F> f_;
};

}  // namespace msgbus::sync::detail
