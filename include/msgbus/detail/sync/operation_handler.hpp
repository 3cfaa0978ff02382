#pragma once

/// Handlers of operations: from the user's callable to an entry of a service.

#include <msgbus/detail/component/handles.hpp>
#include <msgbus/detail/component/operation_parts.hpp>
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

/// `Parts` is `component::operation_parts` of `F`.
template <class F, class Parts, class Inputs = typename Parts::inputs,
          class Needs = typename Parts::needs>
class operation_handler;

template <class F, class Parts, class... Inputs, class... Needs>
class operation_handler<F, Parts, type_list<Inputs...>, type_list<Needs...>> final
    : public typed_operation<typename Parts::result, Inputs...> {
  using R = typename Parts::result;
  static_assert(!awaitable_result<R>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");

 public:
  operation_handler(std::uint64_t order, std::string given, const service_core& in, F&& f)
      : typed_operation<R, Inputs...>(order, std::move(given), in), f_(std::move(f)) {}

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
    if constexpr (sizeof...(Needs) == 0) {
      return (*f_)(std::forward<Inputs>(inputs)...);
    } else {
      std::tuple<Inputs&&...> given(std::forward<Inputs>(inputs)...);
      auto call = [&](Needs... needs) -> R {
        std::tuple<Needs&&...> needed(std::forward<Needs>(needs)...);
        return Parts::apply(*f_, given, needed);
      };
      return di::injector<Needs...>::run(this->injection(), call);
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
      if constexpr (sizeof...(Needs) == 0) {
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

  component::held_callable<F> f_;
};

}  // namespace msgbus::sync::detail
