#pragma once

/// Sends messages with a topic to the subscribers that are bound to it.

#include <msgbus/async/subscriber.hpp>

namespace msgbus::async {

/// Knows subscribers, not handlers; has no mailbox and no executor. Every member function may be
/// called from any thread, also from inside handlers (D5, D7). Publisher and subscribers may be
/// destroyed in any order (D8).
class publisher : public msgbus::component::sender<detail::publisher_core> {
 public:
  publisher() : sender(std::make_shared<detail::publisher_core>()) {}

  /// Binding twice is binding once.
  template <class... Subscribers>
    requires(std::derived_from<Subscribers, subscriber> && ...)
  void bind(Subscribers&... subscribers) {
    (bind_one(subscribers), ...);
  }

  /// What is published from here on does not reach the subscriber.
  void unbind(subscriber& bound) { bound.core_->senders.unbind(*core_); }

  /// Has every bound subscriber run its handlers, the subscribers at the same time (A3), and
  /// completes when all have ended (A1), with how many handlers ran. Otherwise as
  /// `subscriber::receive`, with all failures together in the order of binding; `type_mismatch`
  /// only if no subscriber takes the type (T6).
  template <class M>
  [[nodiscard]] asio::awaitable<std::size_t> publish(M message, std::string_view topic) {
    return run<M>(core_, subscriber::on_topic(std::move(message), topic));
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
    return send_all<M>(core_, subscriber::on_topic(std::move(message), topic));
  }
  template <class M, class T>
  [[nodiscard]] asio::awaitable<receipt> send(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return send(std::move(message), topic.name());
  }

  /// The same without waiting, and not only for coroutines.
  template <class M>
  receipt post(M message, std::string_view topic) {
    auto on_topic = subscriber::on_topic(std::move(message), topic);
    const detail::targets all = core_->bound();
    const exec::shared_message shared = detail::share_message<M>(std::addressof(on_topic));
    if (all.empty()) core_->count_unrouted({shared->message().type->name, shared->topic()});
    return detail::post_to_all(all, shared);
  }
  template <class M, class T>
  receipt post(M message, const topic<T>& topic) {
    subscriber::check_type<M, T>();
    return post(std::move(message), topic.name());
  }

 private:
  template <class M>
  static asio::awaitable<std::size_t> run(std::shared_ptr<detail::publisher_core> self,
                                          detail::topic_message<M> event) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const std::string topic = event.topic;  // the event may be moved to where it is shared
    const msgbus::context known = context::caused_by(detail::current_origin(), topic);
    const detail::value_ref message =
        detail::with_event(event.message, [](detail::value_ref what) { return what; });
    detail::to_share source(message, known, std::addressof(event), &detail::share_message<M>);
    detail::fan_out together(here);
    self->deliver(together, source);
    if (together.must_wait()) co_await together.wait();
    together.throw_outcome();
    if (together.ran == 0) {
      const msgbus::step about{message.type->name, topic};
      self->count_unrouted(about);
      if (together.refused) detail::throw_mismatch(self->bound(), source.message(), topic);
    }
    co_return together.ran;
  }

  template <class M>
  static asio::awaitable<receipt> send_all(std::shared_ptr<detail::publisher_core> self,
                                           detail::topic_message<M> event) {
    detail::targets all = self->bound();
    exec::shared_message shared = detail::share_message<M>(std::addressof(event));
    if (all.empty()) self->count_unrouted({shared->message().type->name, shared->topic()});
    co_return co_await detail::send_to_all(std::move(all), std::move(shared));
  }

  void bind_one(subscriber& bound) { bound.core_->senders.bind(*core_, bound.core_); }
};

}  // namespace msgbus::async
