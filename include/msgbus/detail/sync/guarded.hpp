#pragma once

/// The policy of a sync handler, its attempts, and the calls of handlers and operations with a
/// policy.

#include <msgbus/context.hpp>
#include <msgbus/detail/component/inject.hpp>
#include <msgbus/detail/core/failures.hpp>
#include <msgbus/detail/core/function_ref.hpp>
#include <msgbus/detail/sync/handler.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace msgbus::sync {
struct policy;
}  // namespace msgbus::sync

namespace msgbus::sync::detail {

/// A policy as a handler keeps it. Thread-safe.
class guards;

/// The component of a handler, for replays of its dead letters.
struct replay_target {
  /// Runs the handler with this place in the order of attachment, and no other, for the message.
  /// False if it has gone. Its failures are added.
  using run_only = bool (*)(const void* component, value_ref message, std::string_view topic,
                            std::uint64_t handler, failures& failed);

  std::weak_ptr<const void> component = {};
  run_only run = nullptr;
};

/// Whether dead letters can keep messages of these types: they are named, and can be copied.
template <class... Ms>
inline constexpr bool can_be_kept = sizeof...(Ms) > 0 && (std::is_copy_constructible_v<Ms> && ...);

/// Throws `bad_arguments` for a value that means nothing; `unsupported` for dead letters of
/// messages that cannot be kept.
[[nodiscard]] std::shared_ptr<const guards> make_guards(const policy& handler_policy,
                                                        replay_target in, bool keeps_messages);

/// The policy in words, for descriptions.
[[nodiscard]] std::string text_of(const guards& by);

/// One attempt: adds its exceptions to the failures, or throws them.
using attempt = function_ref<void(const msgbus::context& ctx, failures& failed)>;

/// Makes attempts until one succeeds or the policy allows no more. Adds the failures of the last
/// one; throws `rate_limited` or `circuit_open`.
void make_attempts(const guards& by, const msgbus::context& ctx, failures& failed, attempt make);

/// For an operation, which needs its arguments again in every attempt. Throws `unsupported` if one
/// of them cannot be copied and the policy has retries, or if the policy has deduplication or dead
/// letters.
void check_repeatable(const policy& asked, bool has_copies, const std::string& operation);

/// A handler and its message, which a dead letter keeps a copy of.
struct guarded_message {
  const routing::entry& handler;
  value_ref value;
  std::shared_ptr<const void> (*copy)(const void* value);  // null: it cannot be kept
};

/// A text that a handler takes as a view, kept with it.
struct kept_text {
  explicit kept_text(std::string_view from) : text(from), view(text) {}
  const std::string text;
  const std::string_view view;
};

template <class M>
std::shared_ptr<const void> copy_of_message(const void* message) {
  const M& from = *static_cast<const M*>(message);
  if constexpr (std::is_same_v<M, std::string_view>) {
    const auto kept = std::make_shared<const kept_text>(from);
    return {kept, &kept->view};  // shares the ownership
  } else {
    return std::make_shared<const M>(from);
  }
}

template <class M>
guarded_message guarded_message_for(const M& message, const routing::entry& handler) noexcept {
  if constexpr (std::is_copy_constructible_v<M> && !std::is_same_v<M, any_event>) {
    return {handler, value_ref::to(message), &copy_of_message<M>};
  } else {
    return {handler, value_ref::to(message), nullptr};
  }
}

/// As `make_attempts`, for a run, to which it adds the failures of the last attempt. Also with
/// deduplication and dead letters.
void run_guarded(const guards& by, component_run& d, const guarded_message& message, attempt make);

/// The callable that is attached for a handler with a policy.
template <class F>
struct guarded {
  F f;
  std::shared_ptr<const guards> by;
};

template <class F>
std::string guarded_policy(const void* callable) {
  return text_of(*static_cast<const guarded<F>*>(callable)->by);
}

/// As `handler_facts_of`, with the policy.
template <class F, class... Ms>
struct guarded_facts_of {
  static constexpr component::handler_facts value{handler_facts_of<F, Ms...>::value.needs, false,
                                                  &guarded_policy<F>};
};

template <class M, class F>
void invoke_guarded(guarded<F>& g, const M& message, routing::entry& entry, component_run& d) {
  const auto once = [&](const msgbus::context& ctx, failures& failed) {
    const component::injection with{
        d.component->overrides_state(), ctx, {&entry, &component::describe_entry}};
    if constexpr (std::is_same_v<M, any_event>) {
      using check = checked<F, any_event>;
      auto call = [&](auto&&... needed) {
        (void)g.f(message, std::forward<decltype(needed)>(needed)...);
      };
      if constexpr (check::fits) check::needs::run(with, call, &failed);
    } else {
      invoke(g.f, message, with, &failed);
    }
  };
  run_guarded(*g.by, d, guarded_message_for(message, entry), once);
}

template <class F, class E>
bool call_guarded_event(routing::entry& entry, component_run& d) {
  auto& g = component::callable_in<guarded<F>, component::event_entry>(entry);
  if constexpr (std::is_same_v<E, any_event>) {
    invoke_guarded(g, any_event(d.message), entry, d);
  } else {
    invoke_guarded(g, *static_cast<const E*>(d.message.data), entry, d);
  }
  return true;
}

template <class F, class... Es>
std::span<const routing::typed_call> guarded_event_calls() {
  using erased = void (*)();
  if constexpr (sizeof...(Es) == 0) {
    static const std::array all{
        routing::typed_call{nullptr, reinterpret_cast<erased>(&call_guarded_event<F, any_event>)}};
    return all;
  } else {
    static const std::array all{
        routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call_guarded_event<F, Es>)}...};
    return all;
  }
}

template <class F, class M>
bool call_guarded_exact(guarded<F>& g, routing::entry& entry, component_run& d) {
  if (!is_type<M>(d.message.type)) return false;
  invoke_guarded(g, *static_cast<const M*>(d.message.data), entry, d);
  return true;
}

template <class F, class M>
bool call_guarded_converted(guarded<F>& g, routing::entry& entry, component_run& d) {
  if constexpr (conversion_target<M>) {
    if (const std::optional<M> message = converted<M>(d.message)) {
      invoke_guarded(g, *message, entry, d);
      return true;
    }
  }
  return false;
}

template <class F, class... Ms>
bool call_guarded_message(routing::entry& entry, component_run& d) {
  auto& g = component::callable_in<guarded<F>, component::message_entry>(entry);
  if constexpr (sizeof...(Ms) == 0) {
    invoke_guarded(g, any_event(d.message), entry, d);
    return true;
  } else {
    return (call_guarded_exact<F, Ms>(g, entry, d) || ...) ||
           (call_guarded_converted<F, Ms>(g, entry, d) || ...);
  }
}

template <class F, class... Ms>
component::message_calls guarded_message_calls() noexcept {
  return {reinterpret_cast<void (*)()>(&call_guarded_message<F, Ms...>), component::keys_of<Ms...>};
}

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

  /// Makes attempts, and returns the result of the successful one.
  template <class R, class Once>
  R run(Once once) const {
    component::result_of<R> result;
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
