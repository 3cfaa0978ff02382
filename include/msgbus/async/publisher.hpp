#pragma once

/// Sends messages with a topic to the subscribers that are bound to it.

#include <msgbus/async/subscriber.hpp>

namespace msgbus::async {

/// Knows subscribers, not handlers; has no mailbox and no executor. Every member function may be
/// called from any thread, also from inside handlers (D5, D7). Publisher and subscribers may be
/// destroyed in any order (D8).
class publisher : public msgbus::component::sender<detail::fan_out_core> {
 public:
  publisher() : sender(detail::fan_out_core::make()) {}

  /// Binding twice is binding once.
  template <class... Subscribers>
    requires(std::derived_from<Subscribers, subscriber> && ...)
  void bind(Subscribers&... subscribers) {
    (bind_one(subscribers), ...);
  }

  /// What is published from here on does not reach the subscriber.
  void unbind(subscriber& bound) { core_->unbind(*bound.core_); }

  /// Has every bound subscriber run its handlers, the subscribers at the same time (A3), and
  /// completes when all have ended (A1), with how many handlers ran. Otherwise as
  /// `subscriber::receive`, with all failures together in the order of binding; `type_mismatch`
  /// only if no subscriber takes the type (T6).
  template <class M>
  [[nodiscard]] asio::awaitable<std::size_t> publish(M message, std::string_view topic) {
    detail::check_topic(topic);
    return detail::deliver(core_,
                           [&] { return exec::held_with_topic<M>(std::move(message), topic); });
  }
  template <class M, class T>
  [[nodiscard]] asio::awaitable<std::size_t> publish(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return publish(std::move(message), topic.name());
  }

  /// Puts the message, which all share, into every bound subscriber's mailbox; completes when each
  /// has taken or refused it. Otherwise as `producer::send`.
  template <class M>
  [[nodiscard]] asio::awaitable<receipt> send(M message, std::string_view topic) {
    return detail::send_bound(core_, subscriber::on_topic(std::move(message), topic));
  }
  template <class M, class T>
  [[nodiscard]] asio::awaitable<receipt> send(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return send(std::move(message), topic.name());
  }

  /// The same without waiting, and not only for coroutines.
  template <class M>
  receipt post(M message, std::string_view topic) {
    detail::check_topic(topic);
    detail::check_holds(message);
    exec::queued_topic_message<M> queued_message(std::move(message), std::string(topic));
    return detail::post_bound(*core_, queued_message);
  }
  template <class M, class T>
  receipt post(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return post(std::move(message), topic.name());
  }

  /// The same for a thread that is no coroutine, as `producer::send_blocking`.
  template <class M>
  receipt send_blocking(M message, std::string_view topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    detail::check_topic(topic);
    detail::check_holds(message);
    exec::queued_topic_message<M> queued_message(std::move(message), std::string(topic));
    return detail::send_blocking_bound(*core_, queued_message, timeout);
  }
  template <class M, class T>
  receipt send_blocking(M message, const topic<T>& topic,
                        std::chrono::steady_clock::duration timeout = forever) {
    subscriber::check_type<M, T>();
    return send_blocking(std::move(message), topic.name(), timeout);
  }

 private:
  void bind_one(subscriber& bound) { core_->bind(bound.core_); }
};

}  // namespace msgbus::async
