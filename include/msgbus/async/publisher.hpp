#pragma once

/// The async publisher: sends messages with a topic to the subscribers that are bound to it.

#include <msgbus/async/subscriber.hpp>
#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/pick.hpp>

#include <span>
#include <utility>
#include <vector>

namespace msgbus::async {

/// Sends messages to subscribers. It has no handlers, no mailbox and no executor.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7). Publisher and subscribers may be destroyed in any order (D8).
class publisher : public msgbus::component::fan_out_base<detail::fan_out_core> {
 public:
  /// A publisher without subscribers.
  publisher() : fan_out_base(detail::fan_out_core::make("publisher")) {}

  /// Binds subscribers. A second `bind` of the same subscriber has no effect.
  template <class... Subscribers>
    requires(std::derived_from<Subscribers, subscriber> && ...)
  void bind(msgbus::component::bound_here<subscriber> first, Subscribers&... others) {
    bind_one(first.component, first.at);
    (bind_one(others, first.at), ...);
  }
  /// Of none.
  void bind() noexcept {}

  /// Binds several subscribers as a group, of which one gets each message. `options` decide which
  /// one: `bind_one_of(a, b, c, {.by = pick::least_waiting})`. Give them the same handlers. A
  /// subscriber that is full or closed is passed over.
  ///
  /// If all are full, `send` waits for the first that has space, and `publish`, which needs no
  /// mailbox, chooses the first open one. Otherwise `mailbox_options::on_full` of the first open
  /// subscriber decides. If all are closed, the first one refuses.
  ///
  /// With `pick::key`, all messages of a key go to the same subscriber, which keeps them in order
  /// if it handles one at a time, or with `ordered_by` (P5). It is not passed over while it is
  /// full. When it closes, its keys go to the others, which do not wait for the messages that it
  /// still has.
  ///
  /// Each call makes a group of its own. A subscriber may be in several groups, and also be bound
  /// alone.
  void bind_one_of(subscriber& a, subscriber& b, pick_options options = {}) {
    bind_group({&a, &b}, std::move(options));
  }
  /// As above.
  void bind_one_of(subscriber& a, subscriber& b, subscriber& c, pick_options options = {}) {
    bind_group({&a, &b, &c}, std::move(options));
  }
  /// As above.
  void bind_one_of(subscriber& a, subscriber& b, subscriber& c, subscriber& d,
                   pick_options options = {}) {
    bind_group({&a, &b, &c, &d}, std::move(options));
  }
  /// As above.
  void bind_one_of(subscriber& a, subscriber& b, subscriber& c, subscriber& d, subscriber& e,
                   pick_options options = {}) {
    bind_group({&a, &b, &c, &d, &e}, std::move(options));
  }
  /// As above.
  void bind_one_of(subscriber& a, subscriber& b, subscriber& c, subscriber& d, subscriber& e,
                   subscriber& f, pick_options options = {}) {
    bind_group({&a, &b, &c, &d, &e, &f}, std::move(options));
  }
  /// As above, for any number: `bind_one_of(std::span(pointers), ...)`.
  void bind_one_of(std::span<subscriber* const> all, pick_options options = {}) {
    bind_group({all.begin(), all.end()}, std::move(options));
  }

  /// Unbinds a subscriber: later messages do not reach it.
  void unbind(subscriber& bound) { core_->unbind(*bound.core_); }

  /// Runs the handlers of every bound subscriber, the subscribers concurrently (A3), and returns
  /// how many handlers ran. Otherwise as `subscriber::receive`.
  ///
  /// Completes: when every handler that it started has ended (A1).
  /// Throws: as `subscriber::receive`; the exceptions of all subscribers together, in the order of
  /// binding. `type_mismatch` only if no subscriber accepts the type (T6).
  /// Cancellation: cancels the handlers that run and waits for their end (A9).
  /// Executor: each subscriber's handlers run on its own. The caller resumes on its own.
  template <class M>
  [[nodiscard]] asio::awaitable<std::size_t> publish(M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::deliver(core_,
                           [&] { return exec::owned_topic_message<M>(std::move(message), topic); });
  }

  /// As above, for a typed topic. A message of another type does not compile.
  template <class M, class T>
  [[nodiscard]] asio::awaitable<std::size_t> publish(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return publish(std::move(message), topic.name());
  }

  /// Puts the message, as one shared object, into the mailbox of every bound subscriber. Otherwise
  /// as `producer::send`.
  ///
  /// Completes: when every mailbox has accepted or refused the message.
  /// Throws: `invalid_topic`, before it returns the awaitable; otherwise as `producer::send`.
  /// Cancellation: throws Asio's `operation_aborted`. Subscribers whose mailbox had space have the
  /// message; the others do not.
  /// Executor: the caller's.
  template <class M>
  [[nodiscard]] asio::awaitable<receipt> send(M message, std::string_view topic) {
    return detail::send_bound(core_, subscriber::on_topic(std::move(message), topic));
  }

  /// As above, for a typed topic.
  template <class M, class T>
  [[nodiscard]] asio::awaitable<receipt> send(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return send(std::move(message), topic.name());
  }

  /// As `send`, but never waits, and may be called outside of coroutines. Mailboxes where `send`
  /// would wait reject the message.
  template <class M>
  receipt post(M message, std::string_view topic) {
    detail::check_topic(topic);
    detail::check_holds(message);
    exec::queued_topic_message<M> queued_message(std::move(message), std::string(topic));
    return detail::post_bound(*core_, queued_message);
  }

  /// As above, for a typed topic.
  template <class M, class T>
  receipt post(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return post(std::move(message), topic.name());
  }

  /// As `producer::send_blocking`: `send` for a thread that runs no coroutine.
  template <class M>
  receipt send_blocking(M message, std::string_view topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    detail::check_topic(topic);
    detail::check_holds(message);
    exec::queued_topic_message<M> queued_message(std::move(message), std::string(topic));
    return detail::send_blocking_bound(*core_, queued_message, timeout);
  }

  /// As above, for a typed topic.
  template <class M, class T>
  receipt send_blocking(M message, const topic<T>& topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    subscriber::check_type<M, T>();
    return send_blocking(std::move(message), topic.name(), timeout);
  }

  /// Sends the message later, as `producer::send_after`, to the subscribers that are bound now.
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
    subscriber::check_type<M, T>();
    return send_after(after, std::move(message), topic.name());
  }

  /// As `send_after`, at a time of each subscriber's clock.
  template <class M>
  scheduled send_at(std::chrono::steady_clock::time_point at, M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::schedule_at(
        *core_, at, detail::scheduled_message<M>(std::move(message), std::string(topic)));
  }

  /// As above, for a typed topic.
  template <class M, class T>
  scheduled send_at(std::chrono::steady_clock::time_point at, M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return send_at(at, std::move(message), topic.name());
  }

  /// Sends a message again and again, as `producer::every`.
  ///
  /// Throws: `invalid_topic`; otherwise as `producer::every`.
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
    subscriber::check_type<std::decay_t<std::invoke_result_t<F&>>, T>();
    return every(period, std::move(make), options, topic.name());
  }

 private:
  void bind_one(subscriber& bound, const registered_at& line) {
    core_->bind(bound.core_, line.location());
  }
  void bind_group(const std::vector<subscriber*>& all, pick_options options) {
    detail::targets members;
    for (subscriber* const each : all) members.push_back(each->core_);
    core_->bind_one_of(members, std::move(options));
  }
};

}  // namespace msgbus::async
