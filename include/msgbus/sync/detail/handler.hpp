#pragma once

/// Handlers of events and of messages: how a user's callable becomes an entry in a route.

#include <msgbus/component/handles.hpp>
#include <msgbus/core/convert.hpp>
#include <msgbus/routing/topic_tree.hpp>
#include <msgbus/routing/type_table.hpp>
#include <msgbus/sync/detail/delivery.hpp>

#include <array>
#include <optional>

namespace msgbus::sync::detail {

/// `component::checked`, and that the handler ends when it returns.
template <class F, class M>
struct checked : component::checked<signature_for<F, M>, M> {
  static_assert(!awaitable_result<typename checked::result>,
                "msgbus: a sync handler must not return an awaitable, which would never run; use "
                "msgbus::async");
};

/// Calls `f` with the message as what its first parameter wants, and with what it needs.
template <class M, class F>
void invoke(F& f, const M& message, routing::entry& entry, delivery& d) {
  using check = checked<F, M>;
  auto call = [&](auto&&... needed) {
    if constexpr (std::is_same_v<std::remove_cvref_t<typename check::first>, any_event>) {
      (void)f(any_event(value_ref::to(message)), std::forward<decltype(needed)>(needed)...);
    } else {
      (void)f(message, std::forward<decltype(needed)>(needed)...);
    }
  };
  if constexpr (check::fits) check::needs::run(injection_for(entry, d), call, &d.failed);
}

/// Calls `f`, which takes any type, with an erased message.
template <class F>
void invoke_any(F& f, routing::entry& entry, delivery& d) {
  using check = checked<F, any_event>;
  auto call = [&](auto&&... needed) {
    (void)f(any_event(d.message), std::forward<decltype(needed)>(needed)...);
  };
  if constexpr (check::fits) check::needs::run(injection_for(entry, d), call, &d.failed);
}

/// A handler of events of the types `Es`, or of every type if there are none.
template <class F, class... Es>
class event_handler final : public routing::typed_entry {
 public:
  event_handler(std::uint64_t order, F&& f) : typed_entry(order, calls()), f_(std::move(f)) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + component::names_of(type_list<Es...>{});
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  template <class E>
  static bool call(routing::entry& entry, delivery& d) {
    auto& self = static_cast<event_handler&>(entry);
    invoke(*self.f_, *static_cast<const E*>(d.message.data), entry, d);
    return true;
  }

  static bool call_any(routing::entry& entry, delivery& d) {
    invoke_any(*static_cast<event_handler&>(entry).f_, entry, d);
    return true;
  }

  static std::span<const routing::typed_call> calls() {
    using erased = void (*)();
    if constexpr (sizeof...(Es) == 0) {
      static const std::array all{
          routing::typed_call{nullptr, reinterpret_cast<erased>(&call_any)}};
      return all;
    } else {
      static const std::array all{
          routing::typed_call{key_of<Es>, reinterpret_cast<erased>(&call<Es>)}...};
      return all;
    }
  }

  component::held_callable<F> f_;
};

/// A handler of messages of the types `Ms`, or of every type if there are none.
template <class F, class... Ms>
class message_handler final : public routing::topic_entry {
 public:
  message_handler(std::uint64_t order, std::vector<std::string> patterns, F&& f)
      : topic_entry(order, std::move(patterns), reinterpret_cast<void (*)()>(&call)),
        f_(std::move(f)) {}

  [[nodiscard]] std::string describe() const override {
    return "handler of " + component::names_of(type_list<Ms...>{}) + " on " + describe_patterns();
  }

 private:
  void destroy_callable() noexcept override { f_.destroy(); }

  // An exact match comes before any conversion (T5).
  static bool call(routing::entry& entry, delivery& d) {
    auto& self = static_cast<message_handler&>(entry);
    if constexpr (sizeof...(Ms) == 0) {
      invoke_any(*self.f_, entry, d);
      return true;
    } else {
      return (self.template call_exact<Ms>(d) || ...) ||
             (self.template call_converted<Ms>(d) || ...);
    }
  }

  template <class M>
  bool call_exact(delivery& d) {
    if (!is_type<M>(d.message.type)) return false;
    invoke(*f_, *static_cast<const M*>(d.message.data), *this, d);
    return true;
  }

  template <class M>
  bool call_converted(delivery& d) {
    if constexpr (conversion_target<M>) {
      if (const std::optional<M> message = converted<M>(d.message)) {
        invoke(*f_, *message, *this, d);
        return true;
      }
    }
    return false;
  }

  component::held_callable<F> f_;
};

}  // namespace msgbus::sync::detail
