#pragma once

/// Runs handlers for messages, by topic.

#include <msgbus/component/base.hpp>
#include <msgbus/core/event.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/routing/subscription.hpp>
#include <msgbus/sync/detail/handler.hpp>
#include <msgbus/sync/detail/subscriber_core.hpp>

namespace msgbus::sync {

/// Owns handlers, each for one pattern of topics or several. Every member function may be called
/// from any thread, also from inside handlers, its own included (D5, D7). Destroying it cancels
/// every handler, and publishers drop it (D8).
///
/// Topics are NATS's: tokens joined by `.`; in patterns `*` is one token and a last `>` is one or
/// more (T7).
class subscriber : public component::base<detail::subscriber_core> {
 public:
  subscriber() : subscriber(nullptr) {}

  /// Shares overrides with other components.
  explicit subscriber(std::shared_ptr<provider> overrides)
      : base(detail::subscriber_core::make(std::move(overrides))) {}

  /// Attaches a handler. Its first parameter is the message: `const M&`, `M`, `one_of<A, B>` or
  /// `any_event`; after it, in any order, come `depends<...>` and `const context&`. Messages
  /// convert to `M` where nothing is lost (T5). Handlers run in the order in which they were
  /// attached (D1), each at most once per message (T8). Throws `invalid_topic`.
  template <class F>
  subscription subscribe(std::string_view pattern, F f) {
    return attach({pattern}, f, component::taken_by<F>());
  }

  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f) {
    return attach(patterns, f, component::taken_by<F>());
  }

  /// Attaches a handler for these types of message; it may be generic in its first parameter.
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f) {
    return attach({pattern}, f, component::named_types<M, Ms...>{});
  }

  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f) {
    return attach(patterns, f, component::named_types<M, Ms...>{});
  }

  /// Attaches a handler of a typed topic. A handler of another type does not compile.
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f) {
    return attach({topic.name()}, f, detail::type_list<T>{});
  }

  /// Attaches a member function of an object, which must outlive the handler, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::string_view pattern, Member member, Object&& object) {
    return subscribe(pattern, detail::bind_member(member, std::forward<Object>(object)));
  }

  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::initializer_list<std::string_view> patterns, Member member,
                         Object&& object) {
    return subscribe(patterns, detail::bind_member(member, std::forward<Object>(object)));
  }

  template <class T, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(const topic<T>& topic, Member member, Object&& object) {
    return subscribe(topic, detail::bind_member(member, std::forward<Object>(object)));
  }

  /// Runs the handlers of the topic that take the message on this thread, and returns how many
  /// ran (D3). Every handler runs, whatever the others throw; one failure leaves as it was thrown,
  /// several as one `dispatch_error` (D2). Throws `type_mismatch` if the topic has handlers and
  /// none of them takes the type (T6), and `invalid_topic` (T7). The message is neither copied nor
  /// moved, except where it is converted (D9). Takes no lock (D7).
  template <class M>
  std::size_t receive(const M& message, std::string_view topic) {
    return receive_at(message, topic, detail::hash_of(topic));
  }

  /// The same for a typed topic; another type does not compile.
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
        message, [&](detail::value_ref what) { return core_->receive(what, topic, hash); });
  }

  template <class F, class... Ms>
  subscription attach(std::initializer_list<std::string_view> patterns, F& f,
                      detail::type_list<Ms...>) {
    component::check_callable(f);
    return core_->attach_handler(patterns, detail::message_calls<F, Ms...>(),
                                 component::callable_of<F>, std::addressof(f));
  }
};

}  // namespace msgbus::sync
