#pragma once

/// Runs handlers for events, by type.

#include <msgbus/component/base.hpp>
#include <msgbus/core/event.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/sync/detail/consumer_core.hpp>
#include <msgbus/sync/detail/handler.hpp>

namespace msgbus::sync {

/// Owns handlers, each for one type of event or several. Every member function may be called from
/// any thread, also from inside handlers, its own included (D5, D7). Destroying it cancels every
/// handler, and producers drop it (D8).
class consumer : public component::base<detail::consumer_core> {
 public:
  consumer() : consumer(nullptr) {}

  /// Shares overrides with other components.
  explicit consumer(std::shared_ptr<provider> overrides)
      : base(detail::consumer_core::make(std::move(overrides))) {}

  /// Attaches a handler. Its first parameter is the event: `const E&`, `E`, `one_of<A, B>` or
  /// `any_event` (every event, after the typed handlers: T4). After it, in any order, come
  /// `depends<...>` and `const context&`. Handlers run in the order in which they were attached
  /// (D1).
  template <class F>
  subscription handler(F f) {
    return attach(f, component::taken_by<F>());
  }

  /// Attaches a handler for these types of event; it may be generic in its first parameter. It
  /// runs once per event (T2).
  template <class E, class... Es, class F>
  subscription handler(F f) {
    return attach(f, component::named_types<E, Es...>{});
  }

  /// Attaches a member function of an object, which must outlive the handler, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object) {
    return handler(detail::bind_member(member, std::forward<Object>(object)));
  }

  template <class E, class... Es, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object) {
    return handler<E, Es...>(detail::bind_member(member, std::forward<Object>(object)));
  }

  /// Runs the handlers of the event on this thread, and returns how many ran (D3). Every handler
  /// runs, whatever the others throw; one failure leaves as it was thrown, several as one
  /// `dispatch_error` (D2). The event is neither copied nor moved (D9); a `std::variant` is routed
  /// by its active alternative (T3). Takes no lock (D7).
  template <class E>
  std::size_t consume(const E& event) {
    static_assert(!std::is_array_v<E>,
                  "msgbus: events are routed by exact type, and an array is nobody's: send a "
                  "std::string, or better a type of your own");
    return detail::with_event(event,
                              [this](detail::value_ref what) { return core_->consume(what); });
  }

  /// The same, with an event made in place: `consume<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  std::size_t consume(Args&&... args) {
    return consume(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  friend class producer;

  template <class F, class... Es>
  subscription attach(F& f, detail::type_list<Es...>) {
    component::check_callable(f);
    return core_->attach_handler(detail::event_calls<F, Es...>(), component::callable_of<F>,
                                 std::addressof(f));
  }
};

}  // namespace msgbus::sync
