#pragma once

/// The name, the arguments and the injected parameters of an operation's function.

#include <msgbus/detail/component/any_callable.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/signature.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace msgbus::component {

/// The facts about an operation that only descriptions need.
struct operation_facts {
  handler_facts handler;
  std::string (*arguments)();      // their types
  std::string_view result;         // its type
  const void* callable = nullptr;  // for `handler.policy`
};

/// The default naming: `shop::train_model` becomes `train-model`.
[[nodiscard]] std::string kebab_case(std::string_view function);

template <class List, class... Ps>
struct split_parameters;
template <class... Inputs, class... Needs, class... Ps>
struct split_parameters<std::pair<type_list<Inputs...>, type_list<Needs...>>, Ps...> {
  using inputs = type_list<Inputs...>;
  using needs = type_list<Needs...>;
};
template <class... Inputs, class... Needs, class P, class... Ps>
struct split_parameters<std::pair<type_list<Inputs...>, type_list<Needs...>>, P, Ps...>
    : split_parameters<std::conditional_t<component::is_injected<P>,
                                          std::pair<type_list<Inputs...>, type_list<Needs..., P>>,
                                          std::pair<type_list<Inputs..., P>, type_list<Needs...>>>,
                       Ps...> {};

/// The arguments and the injected parameters of a handler with this signature.
template <class Signature>
struct operation_signature;
template <class R, class... Ps>
struct operation_signature<signature<R, Ps...>> {
  using split = split_parameters<std::pair<type_list<>, type_list<>>, Ps...>;
  using inputs = typename split::inputs;
  using needs = typename split::needs;
  using result = R;

  // The number of earlier parameters of the same sort, which is its index among them.
  template <std::size_t I>
  static constexpr std::size_t index_of() {
    constexpr std::array<bool, sizeof...(Ps)> injected{component::is_injected<Ps>...};
    std::size_t before = 0;
    for (std::size_t i = 0; i < I; ++i) before += injected[i] == injected[I] ? 1 : 0;
    return before;
  }

  /// Calls `f` with arguments and injected values at the positions of their parameters.
  template <class F, class Inputs, class Needs>
  static R apply(F& f, Inputs& inputs, Needs& needs) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) -> R {
      return f(pick<I, Ps>(inputs, needs)...);
    }(std::index_sequence_for<Ps...>{});
  }

 private:
  template <std::size_t I, class P, class Inputs, class Needs>
  static decltype(auto) pick(Inputs& inputs, Needs& needs) {
    if constexpr (component::is_injected<P>) {
      return std::get<index_of<I>()>(std::move(needs));
    } else {
      return std::get<index_of<I>()>(std::move(inputs));
    }
  }
};

}  // namespace msgbus::component
