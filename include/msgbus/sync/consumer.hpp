#pragma once

/// The sync consumer: runs handlers for events, by type.

#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/core/event.hpp>
#include <msgbus/detail/sync/consumer_core.hpp>
#include <msgbus/detail/sync/guarded.hpp>
#include <msgbus/detail/sync/handler.hpp>
#include <msgbus/subscription.hpp>
#include <msgbus/sync/policy.hpp>

namespace msgbus::sync {

/// Owns handlers, each for one event type or several. Types are compared exactly: an event of a
/// derived class does not reach the handlers of its base (T1).
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers, its
/// own included (D5, D7). The destructor cancels every handler, and unbinds the consumer from its
/// producers (D8).
class consumer : public component::base<detail::consumer_core> {
 public:
  /// A consumer with overrides of its own.
  consumer() : consumer(nullptr) {}

  /// Shares overrides with other components.
  explicit consumer(std::shared_ptr<provider> overrides)
      : base(detail::consumer_core::make(std::move(overrides))) {}

  /// Attaches a handler. Its first parameter is the event: `const E&`, `E`, `one_of<A, B>` or
  /// `any_event` (every event, after the typed handlers: T4). Parameters `depends<...>` and `const
  /// context&` may follow, in any order. Handlers run in the order in which they were attached
  /// (D1).
  ///
  /// Throws: `bad_arguments` if the handler is a null pointer or an empty `std::function`.
  template <class F>
  subscription handler(F f, registered_at line = std::source_location::current()) {
    return attach(f, component::taken_by<F>(), line);
  }
  template <class F>
  subscription handler(F f, policy handler_policy,
                       registered_at line = std::source_location::current()) {
    return attach(f, component::taken_by<F>(), handler_policy, line);
  }

  /// Attaches one handler for several event types. Its first parameter may be generic. It runs once
  /// per event (T2).
  template <class E, class... Es, class F>
  subscription handler(F f, registered_at line = std::source_location::current()) {
    return attach(f, component::named_types<E, Es...>{}, line);
  }
  template <class E, class... Es, class F>
  subscription handler(F f, policy handler_policy,
                       registered_at line = std::source_location::current()) {
    return attach(f, component::named_types<E, Es...>{}, handler_policy, line);
  }

  /// Attaches a member function together with its object, or with a pointer to it. The object must
  /// outlive the handler.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object,
                       registered_at line = std::source_location::current()) {
    return handler(detail::bind_member(member, std::forward<Object>(object)), line);
  }

  /// As above, for the event types in angle brackets.
  template <class E, class... Es, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object,
                       registered_at line = std::source_location::current()) {
    return handler<E, Es...>(detail::bind_member(member, std::forward<Object>(object)), line);
  }

  /// Runs every handler of the event on this thread, whatever the others throw (D2), and returns
  /// how many ran (D3). The event is neither copied nor moved (D9). A `std::variant` is routed by
  /// its active alternative (T3). Takes no lock (D7).
  ///
  /// Throws: the exception of the only handler that failed, or one `dispatch_error` with the
  /// exceptions of several (D2).
  template <class E>
  std::size_t consume(const E& event) {
    static_assert(!std::is_array_v<E>,
                  "msgbus: an event cannot be an array; send a type of your own, or a "
                  "std::string");
    return detail::with_event(event,
                              [this](detail::value_ref value) { return core_->consume(value); });
  }

  /// As above, with an event that is made in place: `consume<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  std::size_t consume(Args&&... args) {
    return consume(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  friend class producer;

  template <class F, class... Es>
  subscription attach(F& f, detail::type_list<Es...>, const registered_at& line) {
    component::check_callable(f);
    return core_->attach_handler(detail::event_calls<F, Es...>(),
                                 component::callable_of<F, detail::handler_facts_of<F, Es...>>,
                                 std::addressof(f), line);
  }
  template <class F, class... Es>
  subscription attach(F& f, detail::type_list<Es...>, const policy& handler_policy,
                      const registered_at& line) {
    component::check_callable(f);
    auto by = detail::make_guards(handler_policy, {core_, &detail::consumer_core::run_only},
                                  detail::can_be_kept<Es...>);
    detail::guarded<F> guarded{std::move(f), std::move(by)};
    return core_->attach_handler(
        detail::guarded_event_calls<F, Es...>(),
        component::callable_of<detail::guarded<F>, detail::guarded_facts_of<F, Es...>>, &guarded,
        line);
  }
};

}  // namespace msgbus::sync
