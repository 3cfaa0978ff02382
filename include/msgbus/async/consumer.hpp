#pragma once

/// The async consumer: runs handlers for events, by type. Handlers may be coroutines.

#include <msgbus/detail/async/base.hpp>
#include <msgbus/detail/async/consumer_core.hpp>
#include <msgbus/detail/async/handler.hpp>
#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/detail/async/verbs.hpp>
#include <msgbus/detail/core/event.hpp>
#include <msgbus/detail/exec/cancellation.hpp>

namespace msgbus::async {

/// Owns handlers, each for one event type or several, and a mailbox.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers, its
/// own included (D5, D7).
///
/// The destructor cancels every handler, abandons the messages in the mailbox, and unbinds the
/// consumer from its producers (D8, A10). A handler that is suspended, or about to start on another
/// thread, then runs to its end: call `drain` first, or await `subscription::cancelled`.
///
/// With g++ 12, name the event on the line before the `co_await`, or let the verb make it:
/// `consume<E>(...)`. That compiler destroys some temporaries of a line with `co_await` twice
/// (guide, chapter 9).
class consumer : public detail::base<detail::consumer_core> {
 public:
  /// `executor` runs the handlers. `options` describe the mailbox. `overrides` may be shared with
  /// other components; with null the consumer has its own.
  explicit consumer(asio::any_io_executor executor, mailbox_options options = {},
                    std::shared_ptr<provider> overrides = nullptr)
      : base(detail::consumer_core::make(executor, options, std::move(overrides))) {}

  /// Shares overrides with other components, and has a mailbox with default options.
  consumer(asio::any_io_executor executor, std::shared_ptr<provider> overrides)
      : consumer(std::move(executor), mailbox_options{}, std::move(overrides)) {}
  /// The same on the executor of a context, such as an `asio::io_context` or `asio::thread_pool`.
  template <exec::execution_context Context>
  explicit consumer(Context& context, mailbox_options options = {},
                    std::shared_ptr<provider> overrides = nullptr)
      : consumer(asio::any_io_executor(context.get_executor()), options, std::move(overrides)) {}
  template <exec::execution_context Context>
  consumer(Context& context, std::shared_ptr<provider> overrides)
      : consumer(context, mailbox_options{}, std::move(overrides)) {}

  /// Attaches a handler: a plain function, or a coroutine that returns `asio::awaitable<T>`. The
  /// first parameter is the event: `const E&`, `E`, `one_of<A, B>` or `any_event` (every event,
  /// after the typed handlers: T4). Parameters `depends<...>` and `const context&` may follow, in
  /// any order. The handlers of one event run one after the other, in the order in which they were
  /// attached (D1, A3).
  ///
  /// Throws: `bad_arguments` if the handler is a null pointer or an empty `std::function`.
  template <class F>
  subscription handler(F f, registered_at line = std::source_location::current()) {
    return attach(f, msgbus::component::taken_by<F>(), nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class F>
  subscription handler(F f, policy handler_policy,
                       registered_at line = std::source_location::current()) {
    return attach(f, msgbus::component::taken_by<F>(), &handler_policy, line);
  }

  /// Attaches one handler for several event types. Its first parameter may be generic. It runs once
  /// per event (T2).
  template <class E, class... Es, class F>
  subscription handler(F f, registered_at line = std::source_location::current()) {
    return attach(f, msgbus::component::named_types<E, Es...>{}, nullptr, line);
  }

  /// As above, with a policy for this handler.
  template <class E, class... Es, class F>
  subscription handler(F f, policy handler_policy,
                       registered_at line = std::source_location::current()) {
    return attach(f, msgbus::component::named_types<E, Es...>{}, &handler_policy, line);
  }

  /// Attaches a member function together with its object, or with a pointer to it. The object must
  /// outlive the handler.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object, policy handler_policy = {},
                       registered_at line = std::source_location::current()) {
    return handler(detail::bind_member(member, std::forward<Object>(object)),
                   std::move(handler_policy), line);
  }

  /// As above, for the event types in angle brackets.
  template <class E, class... Es, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object, policy handler_policy = {},
                       registered_at line = std::source_location::current()) {
    return handler<E, Es...>(detail::bind_member(member, std::forward<Object>(object)),
                             std::move(handler_policy), line);
  }

  /// Runs every handler of the event, whatever the others throw (D2), and returns how many ran
  /// (D3). The event does not pass through the mailbox.
  ///
  /// Completes: when every handler that it started has ended (A1).
  /// Throws: `closed`; the exception of the only handler that failed, or one `dispatch_error` with
  /// the exceptions of several (D2).
  /// Cancellation: cancels the handler that runs, starts no other, and waits for its end; then
  /// throws its exception, or else Asio's `operation_aborted` (A9).
  /// Executor: handlers run on the consumer's, or on their policy's (A2). The caller resumes on its
  /// own, without suspending if no handler suspends.
  template <class E>
  [[nodiscard]] asio::awaitable<std::size_t> consume(E event) {
    return detail::deliver(core_, [&] { return exec::owned_event<E>(std::move(event)); });
  }

  /// As above, with an event that is made in place: `consume<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<std::size_t> consume(Args&&... args) {
    return consume<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Puts the event into the mailbox. If the mailbox is full, `mailbox_options::on_full` decides:
  /// the sender waits, or an event is rejected or dropped (A6). Exceptions of the handlers go to
  /// the observer and the counters (A8). A closed consumer rejects the event.
  ///
  /// Completes: when the mailbox has accepted or refused the event.
  /// Throws: `would_deadlock` if the mailbox is full and waits for the handler that sends.
  /// Cancellation: throws Asio's `operation_aborted`; the event was not sent (A9).
  /// Executor: the caller's, without suspending if the mailbox has space and the caller cannot be
  /// cancelled.
  template <class E>
  [[nodiscard]] asio::awaitable<receipt> send(E event) {
    return detail::send(core_, exec::owned_event<E>(std::move(event)));
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<receipt> send(Args&&... args) {
    return send<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send`, but never waits, and may be called outside of coroutines. Where `send` would wait,
  /// the event is rejected.
  template <class E>
  receipt post(E event) {
    exec::send_operation out = exec::event_send_operation(event);
    return detail::post_to(*core_, out);
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt post(Args&&... args) {
    return post<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send`, for a thread that runs no coroutine. The thread blocks until the mailbox has space
  /// or `timeout` has passed; then the event is rejected.
  ///
  /// Throws: `closed`; `would_deadlock` on a thread that runs the consumer's executor. That is
  /// detected on an `io_context`, a `thread_pool`, or a strand of one.
  template <class E>
  receipt send_blocking(E event, std::chrono::steady_clock::duration timeout = forever) {
    exec::send_operation out = exec::event_send_operation(event);
    return detail::send_blocking_to(*core_, out, timeout);
  }

  /// As above, with an event that is made in place, and without a time limit.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt send_blocking(Args&&... args) {
    return send_blocking<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Sends the event later: it enters the mailbox, as by `send`, when the time `after` has passed
  /// on the clock of the executor's context (P6). If the mailbox is full then,
  /// `mailbox_options::on_full` decides. Events that are due at the same time keep the order of the
  /// calls. A time in the past means now; `forever` means never. A closed consumer rejects the
  /// event, and the handle is then done. `close` and `drain` abandon events that are not yet due.
  ///
  /// A pending event is work of the execution context: `run()` does not return before it is due.
  template <class E>
  scheduled send_after(std::chrono::steady_clock::duration after, E event) {
    return detail::schedule_after(*core_, after, detail::scheduled_event<E>(std::move(event)));
  }

  /// As above, with an event that is made in place: `send_after<reminder>(5s, 7)`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  scheduled send_after(std::chrono::steady_clock::duration after, Args&&... args) {
    return send_after<E>(after, detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send_after`, at a time of the clock of the executor's context.
  template <class E>
  scheduled send_at(std::chrono::steady_clock::time_point at, E event) {
    return detail::schedule_at(*core_, at, detail::scheduled_event<E>(std::move(event)));
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  scheduled send_at(std::chrono::steady_clock::time_point at, Args&&... args) {
    return send_at<E>(at, detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Sends an event again and again, the first one when one period has passed. When an event is
  /// due, `make()` returns it, on the consumer's executor. Times do not drift. The next event is
  /// made when this one is in the mailbox; `options.missed` decides about events that are late by
  /// then. An exception of `make` counts as a failed message, and the schedule continues. The
  /// schedule ends with `cancel()`, `close`, `drain` or the consumer.
  ///
  /// Throws: `bad_arguments` if the period is not above zero.
  template <class F>
  scheduled every(std::chrono::steady_clock::duration period, F make, every_options options = {}) {
    return detail::schedule_every(*core_, period, detail::event_maker(std::move(make)), options);
  }

  /// Returns a stream of copies of the events of this type that the consumer handles from now on.
  /// `options` describe the queue of the stream; `options.concurrency` is ignored.
  template <class E>
  [[nodiscard]] stream<E> stream_of(mailbox_options options = {},
                                    registered_at line = std::source_location::current()) {
    return make_stream<E>(options, [&](const auto& queue) {
      return this->template handler<E>(detail::into_stream<E>(queue), line);
    });
  }

  /// Keeps events of one key in order when `mailbox_options::concurrency` is above 1. The consumer
  /// handles them one after the other, in the order of sending, retries included. Events of
  /// different keys are handled concurrently (P5). `key_of(const E&)` returns the key: a number, a
  /// string, or a type with `std::hash` and `==`, neither of which throws. Rules of several types
  /// share their keys. A type without a rule is a key of its own. With a concurrency of 1, all
  /// events are in order anyway.
  ///
  /// The rule applies to events that are sent from now on through the mailbox; another rule for `E`
  /// replaces it. An event that waits for its key counts in `mailbox_options::capacity`. An event
  /// whose key function throws counts as failed.
  ///
  /// Executor: `key_of` runs inside `send` and `post`, on the sender's thread; several threads may
  /// call it at the same time. The destructor of the component waits for running calls; afterwards
  /// there are none.
  template <class E, class F>
  void ordered_by(F key_of) {
    core_->order_by(std::make_shared<const exec::key_rule_by<E, F>>(std::move(key_of)));
  }

  /// Calls `f(const E&, const failure&)` for each event of this type that has failed here after its
  /// last attempt, so that its sender can be informed. An exception of `f` is one line on stderr.
  ///
  /// Executor: `f` runs on the thread that counts the failure, inside the component. The destructor
  /// of the component waits for running calls; afterwards there are none.
  template <class E, class F>
  void on_failed(F f) {
    core_->add_hook(detail::failed_hook<E>(std::move(f)));
  }

  /// Calls `f(const E&)` for each event of this type that was accepted and then abandoned.
  /// Otherwise as `on_failed`.
  template <class E, class F>
  void on_abandoned(F f) {
    core_->add_hook(detail::abandoned_hook<E>(std::move(f)));
  }

 private:
  friend class producer;

  template <class F, class... Es>
  subscription attach(F& f, detail::type_list<Es...>, policy* handler_policy,
                      const registered_at& line) {
    msgbus::component::check_callable(f);
    return core_->attach_handler(
        detail::event_calls<F, Es...>(),
        msgbus::component::callable_of<F, detail::handler_facts_of<F, Es...>>, std::addressof(f),
        handler_policy, line);
  }
};

}  // namespace msgbus::async
