#pragma once

/// Handlers of operations: how a user's callable becomes an entry of a service.

#include <msgbus/sync/detail/handler.hpp>
#include <msgbus/sync/detail/service_core.hpp>

#include <tuple>

namespace msgbus::sync::detail {

/// An entry that is called with the arguments' types known.
template <class R, class... Args>
class typed_operation : public operation_entry {
 public:
  using operation_entry::operation_entry;
  virtual R call(Args&&... args) = 0;
};

template <class List, class... Ps>
struct split_parameters;
template <class... Inputs, class... Needs, class... Ps>
struct split_parameters<std::pair<type_list<Inputs...>, type_list<Needs...>>, Ps...> {
  using inputs = type_list<Inputs...>;
  using needs = type_list<Needs...>;
};
template <class... Inputs, class... Needs, class P, class... Ps>
struct split_parameters<std::pair<type_list<Inputs...>, type_list<Needs...>>, P, Ps...>
    : split_parameters<std::conditional_t<di::is_injected<P>,
                                          std::pair<type_list<Inputs...>, type_list<Needs..., P>>,
                                          std::pair<type_list<Inputs..., P>, type_list<Needs...>>>,
                       Ps...> {};

/// What a handler of this signature is given by its callers, and what it needs besides.
template <class Signature>
struct operation_parts;
template <class R, class... Ps>
struct operation_parts<signature<R, Ps...>> {
  static_assert(!awaitable_result<R>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");
  using split = split_parameters<std::pair<type_list<>, type_list<>>, Ps...>;
  using inputs = typename split::inputs;
  using needs = typename split::needs;
  using result = R;

  // How many of the parameters before this one are of its sort: its place among them.
  template <std::size_t I>
  static constexpr std::size_t place() {
    constexpr std::array<bool, sizeof...(Ps)> injected{di::is_injected<Ps>...};
    std::size_t before = 0;
    for (std::size_t i = 0; i < I; ++i) before += injected[i] == injected[I] ? 1 : 0;
    return before;
  }

  /// Calls `f` with inputs and needs where its parameters have them.
  template <class F, class Inputs, class Needs>
  static R apply(F& f, Inputs& inputs, Needs& needs) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> R {
      return f(pick<I, Ps>(inputs, needs)...);
    }(std::index_sequence_for<Ps...>{});
  }

 private:
  template <std::size_t I, class P, class Inputs, class Needs>
  static decltype(auto) pick(Inputs& inputs, Needs& needs) {
    if constexpr (di::is_injected<P>) {
      return std::get<place<I>()>(std::move(needs));
    } else {
      return std::get<place<I>()>(std::move(inputs));
    }
  }
};

template <class F, class Parts, class Inputs = typename Parts::inputs,
          class Needs = typename Parts::needs>
class operation_handler;

template <class F, class Parts, class... Inputs, class... Needs>
class operation_handler<F, Parts, type_list<Inputs...>, type_list<Needs...>> final
    : public typed_operation<typename Parts::result, Inputs...> {
  using R = typename Parts::result;

 public:
  operation_handler(std::uint64_t order, std::string given, const service_core& in, F&& f)
      : typed_operation<R, Inputs...>(order, std::move(given), in), f_(std::move(f)) {}

  R call(Inputs&&... inputs) override {
    return this->watched([&]() -> R { return run(std::forward<Inputs>(inputs)...); });
  }

  void execute(std::span<const argument> arguments, const result_ref& result) override {
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
  void execute(std::span<const argument> arguments, const result_ref& result,
               std::index_sequence<I...>) {
    if (arguments.size() != sizeof...(Inputs)) {
      this->throw_bad_count(sizeof...(Inputs), types(), arguments);
    }
    // Braces: checked from the first argument to the last.
    std::tuple<bound_argument<Inputs>...> bound{
        bound_argument<Inputs>(arguments[I], position{this->name, I + 1})...};
    auto call = [&]() -> R { return run_bound(std::get<I>(bound).get()...); };
    store_result<R>(result, this->name, call);
  }

  // By-value parameters are made here, once, and moved into the handler.
  R run_bound(Inputs... inputs) { return run(std::forward<Inputs>(inputs)...); }

  static std::string types() {
    std::string all;
    ((all += (all.empty() ? "" : ", ") + std::string(type_name<Inputs>())), ...);
    return all;
  }

  held_callable<F> f_;
};

}  // namespace msgbus::sync::detail
