#pragma once

/// Runs handlers for messages, by topic; handlers may be coroutines.

#include <msgbus/async/detail/base.hpp>
#include <msgbus/async/detail/handler.hpp>
#include <msgbus/async/detail/subscriber_core.hpp>
#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/core/event.hpp>
#include <msgbus/core/topic.hpp>
#include <msgbus/exec/cancelled.hpp>

namespace msgbus::async {

/// Owns handlers, each for one pattern of topics or several, and a mailbox. Every member function
/// may be called from any thread, also from inside handlers, its own included (D5, D7). Destroying
/// it is as destroying a `consumer`. Topics and patterns are as for `sync::subscriber`.
class subscriber : public detail::base<detail::subscriber_core> {
 public:
  explicit subscriber(asio::any_io_executor executor, mailbox_options options = {},
                      std::shared_ptr<provider> overrides = nullptr)
      : base(detail::subscriber_core::make(executor, options, std::move(overrides))) {}
  /// Shares overrides with other components.
  subscriber(asio::any_io_executor executor, std::shared_ptr<provider> overrides)
      : subscriber(std::move(executor), mailbox_options{}, std::move(overrides)) {}

  /// Attaches a handler: a plain function, or one that returns `asio::awaitable<T>`. Its first
  /// parameter is the message: `const M&`, `M`, `one_of<A, B>` or `any_event`; after it, in any
  /// order, come `depends<...>` and `const context&`. Messages convert to `M` where nothing is lost
  /// (T5). For one message, handlers run one after the other, in the order in which they were
  /// attached (D1), each at most once (T8). Throws `invalid_topic`.
  template <class F>
  subscription subscribe(std::string_view pattern, F f) {
    return attach({pattern}, f, msgbus::component::taken_by<F>(), nullptr);
  }
  template <class F>
  subscription subscribe(std::string_view pattern, F f, policy how) {
    return attach({pattern}, f, msgbus::component::taken_by<F>(), &how);
  }

  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f) {
    return attach(patterns, f, msgbus::component::taken_by<F>(), nullptr);
  }
  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f, policy how) {
    return attach(patterns, f, msgbus::component::taken_by<F>(), &how);
  }

  /// Attaches a handler for these types of message; it may be generic in its first parameter.
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f) {
    return attach({pattern}, f, msgbus::component::named_types<M, Ms...>{}, nullptr);
  }
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f, policy how) {
    return attach({pattern}, f, msgbus::component::named_types<M, Ms...>{}, &how);
  }

  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f) {
    return attach(patterns, f, msgbus::component::named_types<M, Ms...>{}, nullptr);
  }
  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f, policy how) {
    return attach(patterns, f, msgbus::component::named_types<M, Ms...>{}, &how);
  }

  /// Attaches a handler of a typed topic. A handler of another type does not compile.
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f) {
    return attach({topic.name()}, f, detail::type_list<T>{}, nullptr);
  }
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f, policy how) {
    return attach({topic.name()}, f, detail::type_list<T>{}, &how);
  }

  /// Attaches a member function of an object, which must outlive the handler, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::string_view pattern, Member member, Object&& object,
                         policy how = {}) {
    return subscribe(pattern, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(how));
  }

  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::initializer_list<std::string_view> patterns, Member member,
                         Object&& object, policy how = {}) {
    return subscribe(patterns, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(how));
  }

  template <class T, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(const topic<T>& topic, Member member, Object&& object, policy how = {}) {
    return subscribe(topic, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(how));
  }

  /// Runs the handlers of the topic that take the message, as `consumer::consume`. Throws
  /// `invalid_topic` (T7) when it is called, and `type_mismatch` if the topic has handlers and none
  /// of them takes the type (T6).
  template <class M>
  [[nodiscard]] asio::awaitable<std::size_t> receive(M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::deliver(core_,
                           [&] { return exec::held_with_topic<M>(std::move(message), topic); });
  }
  /// The same for a typed topic; another type does not compile.
  template <class M, class T>
  [[nodiscard]] asio::awaitable<std::size_t> receive(M message, const topic<T>& topic) {
    check_type<M, T>();
    return receive(std::move(message), topic.name());
  }

  /// Puts the message into the mailbox, as `consumer::send`. Throws `invalid_topic` when it is
  /// called. A type that nobody takes is found out when it is handled: it counts as failed.
  template <class M>
  [[nodiscard]] asio::awaitable<receipt> send(M message, std::string_view topic) {
    return detail::send(core_, on_topic(std::move(message), topic));
  }
  template <class M, class T>
  [[nodiscard]] asio::awaitable<receipt> send(M message, const topic<T>& topic) {
    check_type<M, T>();
    return send(std::move(message), topic.name());
  }

  /// The same without waiting, and not only for coroutines.
  template <class M>
  receipt post(M message, std::string_view topic) {
    detail::check_topic(topic);
    std::string name(topic);
    exec::send_operation out = exec::message_send_operation(message, name);
    return detail::post_to(*core_, out);
  }
  template <class M, class T>
  receipt post(M message, const topic<T>& topic) {
    check_type<M, T>();
    return post(std::move(message), topic.name());
  }

  /// The same for a thread that is no coroutine, as `consumer::send_blocking`.
  template <class M>
  receipt send_blocking(M message, std::string_view topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    detail::check_topic(topic);
    std::string name(topic);
    exec::send_operation out = exec::message_send_operation(message, name);
    return detail::send_blocking_to(*core_, out, timeout);
  }
  template <class M, class T>
  receipt send_blocking(M message, const topic<T>& topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    check_type<M, T>();
    return send_blocking(std::move(message), topic.name(), timeout);
  }

  /// A stream of copies of the topic's messages of this type, from here on.
  template <class T>
  [[nodiscard]] stream<T> stream_of(std::string_view pattern, mailbox_options options = {}) {
    return make_stream<T>(options, [&](const auto& queue) {
      return this->template subscribe<T>(pattern, detail::into_stream<T>(queue));
    });
  }
  template <class T>
  [[nodiscard]] stream<T> stream_of(const topic<T>& topic, mailbox_options options = {}) {
    return stream_of<T>(topic.name(), options);
  }

 private:
  friend class publisher;

  template <class M, class T>
  static void check_type() {
    static_assert(std::same_as<M, T>,
                  "msgbus: this topic<T> carries another type than the message's");
  }

  template <class M>
  static exec::held_message on_topic(M&& message, std::string_view topic) {
    detail::check_topic(topic);
    return exec::held_with_topic<M>(std::move(message), topic);
  }

  template <class F, class... Ms>
  subscription attach(std::initializer_list<std::string_view> patterns, F& f,
                      detail::type_list<Ms...>, policy* how) {
    msgbus::component::check_callable(f);
    return core_->attach_handler(patterns, detail::message_calls<F, Ms...>(),
                                 msgbus::component::callable_of<F>, std::addressof(f), how);
  }
};

}  // namespace msgbus::async
