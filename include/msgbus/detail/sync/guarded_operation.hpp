#pragma once

/// What stands around the handler of an operation with a policy.

#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/sync/guards.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace msgbus::sync::detail {

/// A `Guard` of `operation_handler`.
class operation_guard {
 public:
  static constexpr bool is_plain = false;

  explicit operation_guard(std::shared_ptr<const guards> by) noexcept : by_(std::move(by)) {}

  /// An argument for one attempt: a copy, so that the next one has it too.
  template <class Input>
  static decltype(auto) again(Input& input) {
    if constexpr (std::is_reference_v<Input> || !std::is_copy_constructible_v<Input>) {
      return static_cast<Input&&>(input);
    } else {
      return Input(input);
    }
  }
  template <class... Inputs>
  static constexpr bool has_copies =
      ((std::is_lvalue_reference_v<Inputs> ||
        (!std::is_reference_v<Inputs> && std::is_copy_constructible_v<Inputs>)) &&
       ...);

  /// The policy, for descriptions.
  [[nodiscard]] std::string text() const { return text_of(*by_); }

  /// Runs attempts, and gives the result of the one that succeeds.
  template <class R, class Once>
  R run(Once once) const {
    di::result_of<R> result;
    failures failed;
    const auto make = [&](const context& ctx, failures&) {
      auto call = [&]() -> R { return once(ctx); };
      result.run(call);
    };
    make_attempts(*by_, no_context, failed, make);
    failed.throw_any();
    return result.take();
  }

 private:
  std::shared_ptr<const guards> by_;
};

}  // namespace msgbus::sync::detail
