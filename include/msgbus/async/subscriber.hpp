#pragma once

/// The async subscriber: runs handlers for messages, by topic. Handlers may be coroutines.

#include <msgbus/detail/async/base.hpp>
#include <msgbus/detail/async/handler.hpp>
#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/detail/async/subscriber_core.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/core/event.hpp>
#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/topic.hpp>

namespace msgbus::async {

/// Owns handlers, each for one topic pattern or several, and a mailbox. Topics and patterns have
/// the grammar of `sync::subscriber`.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers, its
/// own included (D5, D7). The destructor does the same as that of `consumer`.
class subscriber : public detail::base<detail::subscriber_core> {
 public:
  /// `executor` runs the handlers. `options` describe the mailbox. `overrides` may be shared with
  /// other components; with null the subscriber has its own.
  explicit subscriber(asio::any_io_executor executor, mailbox_options options = {},
                      std::shared_ptr<provider> overrides = nullptr)
      : base(detail::subscriber_core::make(executor, options, std::move(overrides))) {}

  /// Shares overrides with other components, and has a mailbox with default options.
  subscriber(asio::any_io_executor executor, std::shared_ptr<provider> overrides)
      : subscriber(std::move(executor), mailbox_options{}, std::move(overrides)) {}
  /// The same on the executor of a context, such as an `asio::io_context` or `asio::thread_pool`.
  template <exec::execution_context Context>
  explicit subscriber(Context& context, mailbox_options options = {},
                      std::shared_ptr<provider> overrides = nullptr)
      : subscriber(asio::any_io_executor(context.get_executor()), options, std::move(overrides)) {}
  template <exec::execution_context Context>
  subscriber(Context& context, std::shared_ptr<provider> overrides)
      : subscriber(context, mailbox_options{}, std::move(overrides)) {}

  /// Attaches a handler to a pattern: a plain function, or a coroutine that returns
  /// `asio::awaitable<T>`. The first parameter is the message: `const M&`, `M`, `one_of<A, B>` or
  /// `any_event`. Parameters `depends<...>` and `const context&` may follow, in any order. Messages
  /// of other types convert to `M` where the conversion loses nothing (T5). The handlers of one
  /// message run one after the other, in the order in which they were attached (D1), each at most
  /// once (T8).
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if the handler is a null pointer or an empty
  /// `std::function`.
  template <class F>
  subscription subscribe(std::string_view pattern, F f,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, msgbus::component::taken_by<F>(), nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class F>
  subscription subscribe(std::string_view pattern, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, msgbus::component::taken_by<F>(), &handler_policy, line);
  }

  /// Attaches one handler to several patterns.
  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, msgbus::component::taken_by<F>(), nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, msgbus::component::taken_by<F>(), &handler_policy, line);
  }

  /// Attaches one handler for the message types in angle brackets. Its first parameter may be
  /// generic.
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, msgbus::component::named_types<M, Ms...>{}, nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class M, class... Ms, class F>
  subscription subscribe(std::string_view pattern, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({pattern}, f, msgbus::component::named_types<M, Ms...>{}, &handler_policy, line);
  }

  /// As above, for several patterns.
  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, msgbus::component::named_types<M, Ms...>{}, nullptr, line);
  }

  /// As above, for several patterns and with a policy.
  template <class M, class... Ms, class F>
  subscription subscribe(std::initializer_list<std::string_view> patterns, F f,
                         policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach(patterns, f, msgbus::component::named_types<M, Ms...>{}, &handler_policy, line);
  }

  /// Attaches a handler to a typed topic. A handler of another type does not compile.
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f,
                         registered_at line = std::source_location::current()) {
    return attach({topic.name()}, f, detail::type_list<T>{}, nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class T, class F>
  subscription subscribe(const topic<T>& topic, F f, policy handler_policy,
                         registered_at line = std::source_location::current()) {
    return attach({topic.name()}, f, detail::type_list<T>{}, &handler_policy, line);
  }

  /// Attaches a member function together with its object, or with a pointer to it. The object must
  /// outlive the handler.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::string_view pattern, Member member, Object&& object,
                         policy handler_policy = {},
                         registered_at line = std::source_location::current()) {
    return subscribe(pattern, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(handler_policy), line);
  }

  /// As above, for several patterns.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(std::initializer_list<std::string_view> patterns, Member member,
                         Object&& object, policy handler_policy = {},
                         registered_at line = std::source_location::current()) {
    return subscribe(patterns, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(handler_policy), line);
  }

  /// As above, for a typed topic.
  template <class T, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription subscribe(const topic<T>& topic, Member member, Object&& object,
                         policy handler_policy = {},
                         registered_at line = std::source_location::current()) {
    return subscribe(topic, detail::bind_member(member, std::forward<Object>(object)),
                     std::move(handler_policy), line);
  }

  /// Runs the handlers of the topic that accept the message, and returns how many ran. Otherwise as
  /// `consumer::consume`.
  ///
  /// Completes: when every handler that it started has ended (A1).
  /// Throws: `invalid_topic` (T7), before it returns the awaitable; `type_mismatch` if the topic
  /// has handlers and none accepts the type (T6); otherwise as `consumer::consume`.
  /// Cancellation: cancels the handler that runs, starts no other, and waits for its end; then
  /// throws its exception, or else Asio's `operation_aborted` (A9).
  /// Executor: handlers run on the subscriber's, or on their policy's. The caller resumes on its
  /// own.
  template <class M>
  [[nodiscard]] asio::awaitable<std::size_t> receive(M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::deliver(core_,
                           [&] { return exec::owned_topic_message<M>(std::move(message), topic); });
  }

  /// As above, for a typed topic. A message of another type does not compile.
  template <class M, class T>
  [[nodiscard]] asio::awaitable<std::size_t> receive(M message, const topic<T>& topic) {
    check_type<M, T>();
    return receive(std::move(message), topic.name());
  }

  /// Puts the message into the mailbox, as `consumer::send`. If no handler accepts its type, it
  /// counts as failed when it is handled.
  ///
  /// Completes: when the mailbox has accepted or refused the message.
  /// Throws: `invalid_topic`, before it returns the awaitable; `would_deadlock` as
  /// `consumer::send`.
  /// Cancellation: throws Asio's `operation_aborted`; the message was not sent (A9).
  /// Executor: the caller's.
  template <class M>
  [[nodiscard]] asio::awaitable<receipt> send(M message, std::string_view topic) {
    return detail::send(core_, on_topic(std::move(message), topic));
  }

  /// As above, for a typed topic.
  template <class M, class T>
  [[nodiscard]] asio::awaitable<receipt> send(M message, const topic<T>& topic) {
    check_type<M, T>();
    return send(std::move(message), topic.name());
  }

  /// As `send`, but never waits, and may be called outside of coroutines. Where `send` would wait,
  /// the message is rejected.
  template <class M>
  receipt post(M message, std::string_view topic) {
    detail::check_topic(topic);
    std::string name(topic);
    exec::send_operation out = exec::message_send_operation(message, name);
    return detail::post_to(*core_, out);
  }

  /// As above, for a typed topic.
  template <class M, class T>
  receipt post(M message, const topic<T>& topic) {
    check_type<M, T>();
    return post(std::move(message), topic.name());
  }

  /// As `consumer::send_blocking`: `send` for a thread that runs no coroutine.
  template <class M>
  receipt send_blocking(M message, std::string_view topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    detail::check_topic(topic);
    std::string name(topic);
    exec::send_operation out = exec::message_send_operation(message, name);
    return detail::send_blocking_to(*core_, out, timeout);
  }

  /// As above, for a typed topic.
  template <class M, class T>
  receipt send_blocking(M message, const topic<T>& topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    check_type<M, T>();
    return send_blocking(std::move(message), topic.name(), timeout);
  }

  /// Sends the message later, as `consumer::send_after`.
  ///
  /// Throws: `invalid_topic`.
  template <class M>
  scheduled send_after(std::chrono::steady_clock::duration after, M message,
                       std::string_view topic) {
    detail::check_topic(topic);
    return detail::schedule_after(
        *core_, after, detail::scheduled_message<M>(std::move(message), std::string(topic)));
  }

  /// As above, for a typed topic.
  template <class M, class T>
  scheduled send_after(std::chrono::steady_clock::duration after, M message,
                       const topic<T>& topic) {
    check_type<M, T>();
    return send_after(after, std::move(message), topic.name());
  }

  /// As `send_after`, at a time of the clock of the executor's context.
  template <class M>
  scheduled send_at(std::chrono::steady_clock::time_point at, M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::schedule_at(
        *core_, at, detail::scheduled_message<M>(std::move(message), std::string(topic)));
  }

  /// As above, for a typed topic.
  template <class M, class T>
  scheduled send_at(std::chrono::steady_clock::time_point at, M message, const topic<T>& topic) {
    check_type<M, T>();
    return send_at(at, std::move(message), topic.name());
  }

  /// Sends a message again and again, as `consumer::every`.
  ///
  /// Throws: `invalid_topic`; `bad_arguments` if the period is not above zero.
  template <class F>
  scheduled every(std::chrono::steady_clock::duration period, F make, std::string_view topic) {
    return every(period, std::move(make), every_options{}, topic);
  }

  /// As above, with options.
  template <class F>
  scheduled every(std::chrono::steady_clock::duration period, F make, every_options options,
                  std::string_view topic) {
    detail::check_topic(topic);
    return detail::schedule_every(*core_, period, detail::message_maker(std::move(make), topic),
                                  options);
  }

  /// As above, for a typed topic.
  template <class F, class T>
  scheduled every(std::chrono::steady_clock::duration period, F make, const topic<T>& topic) {
    return every(period, std::move(make), every_options{}, topic);
  }

  /// As above, for a typed topic and with options.
  template <class F, class T>
  scheduled every(std::chrono::steady_clock::duration period, F make, every_options options,
                  const topic<T>& topic) {
    check_type<std::decay_t<std::invoke_result_t<F&>>, T>();
    return every(period, std::move(make), options, topic.name());
  }

  /// Returns a stream of copies of the messages of this type on matching topics, from now on.
  /// `options` describe the queue of the stream.
  ///
  /// Throws: `invalid_topic`.
  template <class T>
  [[nodiscard]] stream<T> stream_of(std::string_view pattern, mailbox_options options = {},
                                    registered_at line = std::source_location::current()) {
    return make_stream<T>(options, [&](const auto& queue) {
      return this->template subscribe<T>(pattern, detail::into_stream<T>(queue), line);
    });
  }

  /// As above, for a typed topic.
  template <class T>
  [[nodiscard]] stream<T> stream_of(const topic<T>& topic, mailbox_options options = {},
                                    registered_at line = std::source_location::current()) {
    return stream_of<T>(topic.name(), options, line);
  }

  /// Keeps messages of one key in order, as `consumer::ordered_by`, for messages that are sent as
  /// an `M`. The key function takes `const M&`, or `const M&` and the topic as a
  /// `std::string_view`.
  template <class M, class F>
  void ordered_by(F key_of) {
    core_->order_by(std::make_shared<const exec::key_rule_by<M, F>>(std::move(key_of)));
  }

  /// Calls `f(const E&, const failure&)` for each message of this type that has failed here after
  /// its last attempt, so that its sender can be informed. An exception of `f` is one line on
  /// stderr.
  ///
  /// Executor: `f` runs on the thread that counts the failure, inside the component. The destructor
  /// of the component waits for running calls; afterwards there are none.
  template <class E, class F>
  void on_failed(F f) {
    core_->add_hook(detail::failed_hook<E>(std::move(f)));
  }

  /// Calls `f(const E&)` for each message of this type that was accepted and then abandoned.
  /// Otherwise as `on_failed`.
  template <class E, class F>
  void on_abandoned(F f) {
    core_->add_hook(detail::abandoned_hook<E>(std::move(f)));
  }

 private:
  friend class publisher;

  template <class M, class T>
  static void check_type() {
    static_assert(std::same_as<M, T>,
                  "msgbus: this topic<T> carries another type than the message's");
  }

  template <class M>
  static exec::owned_message on_topic(M&& message, std::string_view topic) {
    detail::check_topic(topic);
    return exec::owned_topic_message<M>(std::move(message), topic);
  }

  template <class F, class... Ms>
  subscription attach(std::initializer_list<std::string_view> patterns, F& f,
                      detail::type_list<Ms...>, policy* handler_policy, const registered_at& line) {
    msgbus::component::check_callable(f);
    return core_->attach_handler(
        patterns, detail::message_calls<F, Ms...>(),
        msgbus::component::callable_of<F, detail::handler_facts_of<F, Ms...>>, std::addressof(f),
        handler_policy, line);
  }
};

}  // namespace msgbus::async
