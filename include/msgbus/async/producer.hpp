#pragma once

/// Sends events to the consumers that are bound to it.

#include <msgbus/async/consumer.hpp>

namespace msgbus::async {

/// Knows consumers, not handlers; has no mailbox and no executor. Every member function may be
/// called from any thread, also from inside handlers (D5, D7). Producer and consumers may be
/// destroyed in any order (D8).
class producer : public msgbus::component::sender<detail::fan_out_core> {
 public:
  producer() : sender(detail::fan_out_core::make()) {}

  /// Binding twice is binding once.
  template <class... Consumers>
    requires(std::derived_from<Consumers, consumer> && ...)
  void bind(Consumers&... consumers) {
    (bind_one(consumers), ...);
  }

  /// What is dispatched from here on does not reach the consumer.
  void unbind(consumer& bound) { core_->unbind(*bound.core_); }

  /// Has every bound consumer run its handlers, the consumers at the same time (A3), and completes
  /// when all have ended (A1), with how many handlers ran. Otherwise as `consumer::consume`, with
  /// all failures together in the order of binding.
  template <class E>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(E event) {
    return detail::deliver(core_, [&] { return exec::held_event<E>(std::move(event)); });
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(Args&&... args) {
    return dispatch<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Puts the event, which all share, into every bound consumer's mailbox; completes when each has
  /// taken or refused it. Otherwise as `consumer::send`. Cancelled while it waits for room it
  /// throws Asio's `operation_aborted`: consumers that had room have the event, the others have
  /// not.
  template <class E>
  [[nodiscard]] asio::awaitable<receipt> send(E event) {
    return detail::send_bound(core_, exec::held_event<E>(std::move(event)));
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<receipt> send(Args&&... args) {
    return send<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// The same without waiting, and not only for coroutines.
  template <class E>
  receipt post(E event) {
    detail::check_holds(event);
    exec::queued_event<E> queued_message(std::move(event));
    return detail::post_bound(*core_, queued_message);
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt post(Args&&... args) {
    return post<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// The same for a thread that is no coroutine, which is blocked until each has taken or refused
  /// the event, or `timeout` has passed: those that are still full reject it. Throws
  /// `would_deadlock` as `consumer::send_blocking`; consumers that had room have the event.
  template <class E>
  receipt send_blocking(E event, std::chrono::steady_clock::duration timeout = forever) {
    detail::check_holds(event);
    exec::queued_event<E> queued_message(std::move(event));
    return detail::send_blocking_bound(*core_, queued_message, timeout);
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt send_blocking(Args&&... args) {
    return send_blocking<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  void bind_one(consumer& bound) { core_->bind(bound.core_); }
};

}  // namespace msgbus::async
