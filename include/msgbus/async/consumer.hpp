#pragma once

/// Runs handlers for events, by type; handlers may be coroutines.

#include <msgbus/async/detail/base.hpp>
#include <msgbus/async/detail/consumer_core.hpp>
#include <msgbus/async/detail/handler.hpp>
#include <msgbus/async/detail/verbs.hpp>
#include <msgbus/core/event.hpp>
#include <msgbus/exec/cancelled.hpp>

namespace msgbus::async {

/// Owns handlers, each for one type of event or several, and a mailbox. Every member function may
/// be called from any thread, also from inside handlers, its own included (D5, D7). Destroying it
/// cancels every handler, abandons what waits in the mailbox, and producers drop it (D8, A10). A
/// handler that is suspended, or about to begin on another thread, then runs to its end: `drain`
/// first, or await `subscription::cancelled`.
///
/// Name the event on its own line before awaiting a verb, or make it in place: GCC 12 destroys
/// some temporaries of an awaiting line twice (guide, chapter 9).
class consumer : public detail::base<detail::consumer_core> {
 public:
  explicit consumer(asio::any_io_executor executor, mailbox_options options = {},
                    std::shared_ptr<provider> overrides = nullptr)
      : base(detail::consumer_core::make(executor, options, std::move(overrides))) {}
  /// Shares overrides with other components.
  consumer(asio::any_io_executor executor, std::shared_ptr<provider> overrides)
      : consumer(std::move(executor), mailbox_options{}, std::move(overrides)) {}

  /// Attaches a handler: a plain function, or one that returns `asio::awaitable<T>`. Its first
  /// parameter is the event: `const E&`, `E`, `one_of<A, B>` or `any_event` (every event, after the
  /// typed handlers: T4). After it, in any order, come `depends<...>` and `const context&`. For one
  /// event, handlers run one after the other, in the order in which they were attached (D1, A3).
  template <class F>
  subscription handler(F f) {
    return attach(f, msgbus::component::taken_by<F>(), nullptr);
  }
  template <class F>
  subscription handler(F f, policy how) {
    return attach(f, msgbus::component::taken_by<F>(), &how);
  }

  /// Attaches a handler for these types of event; it may be generic in its first parameter. It
  /// runs once per event (T2).
  template <class E, class... Es, class F>
  subscription handler(F f) {
    return attach(f, msgbus::component::named_types<E, Es...>{}, nullptr);
  }
  template <class E, class... Es, class F>
  subscription handler(F f, policy how) {
    return attach(f, msgbus::component::named_types<E, Es...>{}, &how);
  }

  /// Attaches a member function of an object, which must outlive the handler, or of what a pointer
  /// points to.
  template <class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object, policy how = {}) {
    return handler(detail::bind_member(member, std::forward<Object>(object)), std::move(how));
  }

  template <class E, class... Es, class Member, class Object>
    requires std::is_member_function_pointer_v<Member>
  subscription handler(Member member, Object&& object, policy how = {}) {
    return handler<E, Es...>(detail::bind_member(member, std::forward<Object>(object)),
                             std::move(how));
  }

  /// Runs the handlers of the event and completes when every one has ended (A1), with how many ran
  /// (D3). Every handler runs, whatever the others throw; one failure leaves as it was thrown,
  /// several as one `dispatch_error` (D2). Throws `closed`. Handlers run on the component's
  /// executor (A2), without passing through the mailbox. The caller resumes on its own executor, at
  /// once if no handler suspends. Cancelling it cancels the handler that runs, starts no other, and
  /// waits for its end; one that has not begun on another executor never begins (A9).
  template <class E>
  [[nodiscard]] asio::awaitable<std::size_t> consume(E event) {
    return detail::deliver(core_, [&] { return exec::held_event<E>(std::move(event)); });
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<std::size_t> consume(Args&&... args) {
    return consume<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Puts the event into the mailbox, and completes when that has taken or refused it. A full one
  /// makes the caller wait, reject or drop, as its options say (A6). What handlers throw goes to
  /// the observer and the counters (A8). Throws `would_deadlock` from inside a handler that the
  /// full mailbox waits for. The caller resumes on its own executor, at once if there is room and
  /// it cannot be cancelled. Cancelled it throws Asio's `operation_aborted`, and has sent nothing
  /// (A9).
  template <class E>
  [[nodiscard]] asio::awaitable<receipt> send(E event) {
    return detail::send(core_, exec::held_event<E>(std::move(event)));
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<receipt> send(Args&&... args) {
    return send<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// The same without waiting, and not only for coroutines: a mailbox that is full and would make
  /// `send` wait rejects the event.
  template <class E>
  receipt post(E event) {
    exec::send_operation out = exec::event_send_operation(event);
    return detail::post_to(*core_, out);
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt post(Args&&... args) {
    return post<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// The same for a thread that is no coroutine, which is blocked until there is room, or `timeout`
  /// has passed: then the event is rejected. Throws `closed`, and `would_deadlock` on a thread that
  /// runs the component's executor, where that can be known: on an `io_context`, a pool, or a
  /// strand of one.
  template <class E>
  receipt send_blocking(E event, std::chrono::steady_clock::duration timeout = forever) {
    exec::send_operation out = exec::event_send_operation(event);
    return detail::send_blocking_to(*core_, out, timeout);
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt send_blocking(Args&&... args) {
    return send_blocking<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// A stream of copies of these events, from here on. `options.concurrency` means nothing here.
  template <class E>
  [[nodiscard]] stream<E> stream_of(mailbox_options options = {}) {
    return make_stream<E>(options, [this](const auto& queue) {
      return this->template handler<E>(detail::into_stream<E>(queue));
    });
  }

 private:
  friend class producer;

  template <class F, class... Es>
  subscription attach(F& f, detail::type_list<Es...>, policy* how) {
    msgbus::component::check_callable(f);
    return core_->attach_handler(detail::event_calls<F, Es...>(), msgbus::component::callable_of<F>,
                                 std::addressof(f), how);
  }
};

}  // namespace msgbus::async
