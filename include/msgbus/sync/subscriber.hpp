#pragma once

/// The sync subscriber: runs handlers for messages, by topic.

#include <msgbus/detail/component/base.hpp>
#include <msgbus/detail/core/event.hpp>
#include <msgbus/detail/sync/guarded.hpp>
#include <msgbus/detail/sync/handler.hpp>
#include <msgbus/detail/sync/subscriber_core.hpp>
#include <msgbus/subscription.hpp>
#include <msgbus/sync/policy.hpp>
#include <msgbus/topic.hpp>

namespace msgbus::sync {

/// Owns handlers, each for one topic pattern or several. A topic consists of tokens joined by `.`,
/// as with NATS. In a pattern, `*` stands for one token, and a last `>` for one or more (T7).
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers, its
/// own included (D5, D7). The destructor cancels every handler, and unbinds the subscriber from its
/// publishers (D8).
class subscriber : public component::base<detail::subscriber_core> {
 public:
  /// A subscriber with overrides of its own.
  subscriber() : subscriber(nullptr) {}

  /// Shares overrides with other components.
  explicit subscriber(std::shared_ptr<provider> overrides)
      : base(detail::subscriber_core::make(std::move(overrides))) {}

  /// Attaches a handler to a pattern. Its first parameter is the message: `const M&`, `M`,
  /// `one_of<A, B>` or `any_event`. Parameters `depends<...>` and `const context&` may follow, in
  /// any order. Messages of other types convert to `M` where the conversion loses nothing (T5).
  /// Handlers run in the order in which they were attached (D1), each at most once per message
  /// (T8).
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if the handler is a null pointer or an empty
  /// `std::function`.
  template <class F>
  subscription subscribe(std::string_view pattern, F f,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, component::taken_by<F>(), line);
  }
  template <class F>
  subscription subscribe(std::string_view pattern, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, component::taken_by<F>(), handler_policy, line);
  }

  /// Attaches one handler to several patterns.
  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, component::taken_by<F>(), line);
  }
  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, component::taken_by<F>(), handler_policy, line);
  }

  /// Attaches one handler for the message types in angle brackets. Its first parameter may be
  /// generic.
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, component::named_types<M, Ms...>{}, line);
  }
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, component::named_types<M, Ms...>{}, handler_policy, line);
  }

  /// As above, for several patterns.
  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, component::named_types<M, Ms...>{}, line);
  }
  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, component::named_types<M, Ms...>{}, handler_policy, line);
  }

  /// Attaches a handler to a typed topic. A handler of another type does not compile.
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f,
                         registered_at line = std::source_location::current()) {
    return attach({topic.name()}, f, detail::type_list<T>{}, line);
  }
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({topic.name()}, f, detail::type_list<T>{}, handler_policy, line);
  }

  /// Attaches a member function together with its object, or with a pointer to it. The object must
  /// outlive the handler.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::string_view pattern, Member member, Object&& object,
                         registered_at line = std::source_location::current()) {
    return subscribe(pattern, detail::bind_member(member, std::forward<Object>(object)), line);
  }

  /// As above, for several patterns.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::initializer_list<std::string_view> patterns, Member member,
                         Object&& object, registered_at line = std::source_location::current()) {
    return subscribe(patterns, detail::bind_member(member, std::forward<Object>(object)), line);
  }

  /// As above, for a typed topic.
  template <class T, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(const topic<T>& topic, Member member, Object&& object,
                         registered_at line = std::source_location::current()) {
    return subscribe(topic, detail::bind_member(member, std::forward<Object>(object)), line);
  }

  /// Runs, on this thread, the handlers of the topic that accept the message, whatever the others
  /// throw (D2), and returns how many ran (D3). The message is neither copied nor moved, except
  /// where it is converted (D9). Takes no lock (D7).
  ///
  /// Throws: `invalid_topic` (T7); `type_mismatch` if the topic has handlers and none accepts the
  /// type (T6); the exception of the only handler that failed, or one `dispatch_error` with the
  /// exceptions of several (D2).
  template <class M>
  std::size_t receive(const M& message, std::string_view topic) {
    return receive_at(message, topic, detail::hash_of(topic));
  }

  /// As above, for a typed topic. A message of another type does not compile.
  template <class M, class T>
  std::size_t receive(const M& message, const topic<T>& topic) {
    static_assert(std::same_as<M, T>,
                  "msgbus: this topic<T> carries another type than the message's");
    return receive_at(message, topic.name(), topic.hash());
  }

 private:
  friend class publisher;

  template <class M>
  std::size_t receive_at(const M& message, std::string_view topic, std::size_t hash) {
    return detail::with_event(
        message, [&](detail::value_ref value) { return core_->receive(value, topic, hash); });
  }

  template <class F, class... Ms>
  subscription attach(std::initializer_list<std::string_view> patterns, F& f,
                      detail::type_list<Ms...>, const registered_at& line) {
    component::check_callable(f);
    return core_->attach_handler(patterns, detail::message_calls<F, Ms...>(),
                                 component::callable_of<F, detail::handler_facts_of<F, Ms...>>,
                                 std::addressof(f), line);
  }
  template <class F, class... Ms>
  subscription attach(std::initializer_list<std::string_view> patterns, F& f,
                      detail::type_list<Ms...>, const policy& handler_policy,
                      const registered_at& line) {
    component::check_callable(f);
    auto by = detail::make_guards(handler_policy, {core_, &detail::subscriber_core::run_only},
                                  detail::can_be_kept<Ms...>);
    detail::guarded<F> guarded{std::move(f), std::move(by)};
    return core_->attach_handler(
        patterns, detail::guarded_message_calls<F, Ms...>(),
        component::callable_of<detail::guarded<F>, detail::guarded_facts_of<F, Ms...>>, &guarded,
        line);
  }
};

}  // namespace msgbus::sync
