#pragma once

/// The async producer: sends events to the consumers that are bound to it.

#include <msgbus/async/consumer.hpp>
#include <msgbus/detail/async/scheduling.hpp>
#include <msgbus/pick.hpp>

#include <span>
#include <utility>
#include <vector>

namespace msgbus::async {

/// Sends events to consumers. It has no handlers, no mailbox and no executor.
///
/// Thread-safe: every member function may be called from any thread, also from inside handlers (D5,
/// D7). Producer and consumers may be destroyed in any order (D8).
class producer : public msgbus::component::fan_out_base<detail::fan_out_core> {
 public:
  /// A producer without consumers.
  producer() : fan_out_base(detail::fan_out_core::make("producer")) {}

  /// Binds consumers. A second `bind` of the same consumer has no effect.
  template <class... Consumers>
    requires(std::derived_from<Consumers, consumer> && ...)
  void bind(msgbus::component::bound_here<consumer> first, Consumers&... others) {
    bind_one(first.component, first.at);
    (bind_one(others, first.at), ...);
  }
  /// Of none.
  void bind() noexcept {}

  /// Binds several consumers as a group, of which one gets each event. `options` decide which one:
  /// `bind_one_of(a, b, c, {.by = pick::least_waiting})`. Give them the same handlers. A consumer
  /// that is full or closed is passed over.
  ///
  /// If all are full, `send` waits for the first that has space, and `dispatch`, which needs no
  /// mailbox, chooses the first open one. Otherwise `mailbox_options::on_full` of the first open
  /// consumer decides. If all are closed, the first one refuses.
  ///
  /// With `pick::key`, all events of a key go to the same consumer, which keeps them in order if it
  /// handles one at a time, or with `ordered_by` (P5). It is not passed over while it is full. When
  /// it closes, its keys go to the others, which do not wait for the events that it still has.
  ///
  /// Each call makes a group of its own. A consumer may be in several groups, and also be bound
  /// alone.
  void bind_one_of(consumer& a, consumer& b, pick_options options = {}) {
    bind_group({&a, &b}, std::move(options));
  }
  /// As above.
  void bind_one_of(consumer& a, consumer& b, consumer& c, pick_options options = {}) {
    bind_group({&a, &b, &c}, std::move(options));
  }
  /// As above.
  void bind_one_of(consumer& a, consumer& b, consumer& c, consumer& d, pick_options options = {}) {
    bind_group({&a, &b, &c, &d}, std::move(options));
  }
  /// As above.
  void bind_one_of(consumer& a, consumer& b, consumer& c, consumer& d, consumer& e,
                   pick_options options = {}) {
    bind_group({&a, &b, &c, &d, &e}, std::move(options));
  }
  /// As above.
  void bind_one_of(consumer& a, consumer& b, consumer& c, consumer& d, consumer& e, consumer& f,
                   pick_options options = {}) {
    bind_group({&a, &b, &c, &d, &e, &f}, std::move(options));
  }
  /// As above, for any number: `bind_one_of(std::span(pointers), ...)`.
  void bind_one_of(std::span<consumer* const> all, pick_options options = {}) {
    bind_group({all.begin(), all.end()}, std::move(options));
  }

  /// Unbinds a consumer: later events do not reach it.
  void unbind(consumer& bound) { core_->unbind(*bound.core_); }

  /// Runs the handlers of every bound consumer, the consumers concurrently (A3), and returns how
  /// many handlers ran. Otherwise as `consumer::consume`.
  ///
  /// Completes: when every handler that it started has ended (A1).
  /// Throws: as `consumer::consume`; the exceptions of all consumers together, in the order of
  /// binding.
  /// Cancellation: cancels the handlers that run and waits for their end (A9).
  /// Executor: each consumer's handlers run on its own. The caller resumes on its own.
  template <class E>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(E event) {
    return detail::deliver(core_, [&] { return exec::owned_event<E>(std::move(event)); });
  }

  /// As above, with an event that is made in place: `dispatch<registered>(1, "Alice")`.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(Args&&... args) {
    return dispatch<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Puts the event, as one shared object, into the mailbox of every bound consumer. Otherwise as
  /// `consumer::send`.
  ///
  /// Completes: when every mailbox has accepted or refused the event.
  /// Throws: as `consumer::send`.
  /// Cancellation: throws Asio's `operation_aborted`. Consumers whose mailbox had space have the
  /// event; the others do not.
  /// Executor: the caller's.
  template <class E>
  [[nodiscard]] asio::awaitable<receipt> send(E event) {
    return detail::send_bound(core_, exec::owned_event<E>(std::move(event)));
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<receipt> send(Args&&... args) {
    return send<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send`, but never waits, and may be called outside of coroutines. Mailboxes where `send`
  /// would wait reject the event.
  template <class E>
  receipt post(E event) {
    detail::check_holds(event);
    exec::queued_event<E> queued_message(std::move(event));
    return detail::post_bound(*core_, queued_message);
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt post(Args&&... args) {
    return post<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send`, for a thread that runs no coroutine. The thread blocks until every mailbox has
  /// accepted or refused the event, or `timeout` has passed; mailboxes that are still full then
  /// reject it.
  ///
  /// Throws: `would_deadlock` as `consumer::send_blocking`; consumers whose mailbox had space have
  /// the event.
  template <class E>
  receipt send_blocking(E event, std::chrono::steady_clock::duration timeout = forever) {
    detail::check_holds(event);
    exec::queued_event<E> queued_message(std::move(event));
    return detail::send_blocking_bound(*core_, queued_message, timeout);
  }

  /// As above, with an event that is made in place, and without a time limit.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt send_blocking(Args&&... args) {
    return send_blocking<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Sends the event later, as one shared object, as `consumer::send_after` to each consumer that
  /// is bound **now**: each counts its own, on its own clock. Of a group (`bind_one_of`), the
  /// consumer that is chosen now gets it. `cancel()` is in time if the event was due at no
  /// consumer. Without a bound consumer the event is unrouted, and the handle is done.
  template <class E>
  scheduled send_after(std::chrono::steady_clock::duration after, E event) {
    return detail::schedule_after(*core_, after, detail::scheduled_event<E>(std::move(event)));
  }

  /// As above, with an event that is made in place.
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  scheduled send_after(std::chrono::steady_clock::duration after, Args&&... args) {
    return send_after<E>(after, detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// As `send_after`, at a time of each consumer's clock.
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

  /// Sends an event again and again, as `consumer::every`, each to the consumers that are bound
  /// then. The schedule uses the clock and the executor of one of them; when that is closed, those
  /// of another one. It ends with `cancel()`, with the producer, or when no open consumer is left.
  /// Exceptions of `make` go to the producer's observer.
  ///
  /// Throws: `bad_arguments` if the period is not above zero; `unsupported` if no open consumer is
  /// bound.
  template <class F>
  scheduled every(std::chrono::steady_clock::duration period, F make, every_options options = {}) {
    return detail::schedule_every(*core_, period, detail::event_maker(std::move(make)), options);
  }

 private:
  void bind_one(consumer& bound, const registered_at& line) {
    core_->bind(bound.core_, line.location());
  }
  void bind_group(const std::vector<consumer*>& all, pick_options options) {
    detail::targets members;
    for (consumer* const each : all) members.push_back(each->core_);
    core_->bind_one_of(members, std::move(options));
  }
};

}  // namespace msgbus::async
