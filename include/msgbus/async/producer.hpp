#pragma once

/// Sends events to the consumers that are bound to it.

#include <msgbus/async/consumer.hpp>

namespace msgbus::async {

/// Knows consumers, not handlers; has no mailbox and no executor. Every member function may be
/// called from any thread, also from inside handlers (D5, D7). Producer and consumers may be
/// destroyed in any order (D8).
class producer : public msgbus::component::sender<detail::producer_core> {
 public:
  producer() : sender(std::make_shared<detail::producer_core>()) {}

  /// Binding twice is binding once.
  template <class... Consumers>
    requires(std::derived_from<Consumers, consumer> && ...)
  void bind(Consumers&... consumers) {
    (bind_one(consumers), ...);
  }

  /// What is dispatched from here on does not reach the consumer.
  void unbind(consumer& bound) { bound.core_->senders.unbind(*core_); }

  /// Has every bound consumer run its handlers, the consumers at the same time (A3), and completes
  /// when all have ended (A1), with how many handlers ran. Otherwise as `consumer::consume`, with
  /// all failures together in the order of binding.
  template <class E>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(E event) {
    return run<E>(core_, std::move(event));
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<std::size_t> dispatch(Args&&... args) {
    return run<E>(core_, detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// Puts the event, which all share, into every bound consumer's mailbox; completes when each has
  /// taken or refused it. Otherwise as `consumer::send`. Cancelled while it waits for room it
  /// throws Asio's `operation_aborted`: consumers that had room have the event, the others have
  /// not.
  template <class E>
  [[nodiscard]] asio::awaitable<receipt> send(E event) {
    return send_all<E>(core_, std::move(event));
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  [[nodiscard]] asio::awaitable<receipt> send(Args&&... args) {
    return send_all<E>(core_, detail::make_event<E>(std::forward<Args>(args)...));
  }

  /// The same without waiting, and not only for coroutines.
  template <class E>
  receipt post(E event) {
    const detail::targets all = core_->bound();
    const exec::shared_message shared = detail::share_event<E>(std::addressof(event));
    if (all.empty()) core_->count_unrouted({shared->message().type->name, {}});
    return detail::post_to_all(all, shared);
  }
  template <class E, class... Args>
    requires detail::in_place_for<E, Args...>
  receipt post(Args&&... args) {
    return post<E>(detail::make_event<E>(std::forward<Args>(args)...));
  }

 private:
  template <class E>
  static asio::awaitable<std::size_t> run(std::shared_ptr<detail::producer_core> self, E event) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    const detail::value_ref message =
        detail::with_event(event, [](detail::value_ref what) { return what; });
    const msgbus::step about{message.type->name, {}};
    const msgbus::context known = context::caused_by(detail::current_origin());
    detail::to_share source(message, known, std::addressof(event), &detail::share_event<E>);
    detail::fan_out together(here);
    self->deliver(together, source);
    if (together.must_wait()) co_await together.wait();
    together.throw_outcome();
    if (together.ran == 0) self->count_unrouted(about);
    co_return together.ran;
  }

  template <class E>
  static asio::awaitable<receipt> send_all(std::shared_ptr<detail::producer_core> self, E event) {
    detail::targets all = self->bound();
    exec::shared_message shared = detail::share_event<E>(std::addressof(event));
    if (all.empty()) self->count_unrouted({shared->message().type->name, {}});
    co_return co_await detail::send_to_all(std::move(all), std::move(shared));
  }

  void bind_one(consumer& bound) { bound.core_->senders.bind(*core_, bound.core_); }
};

}  // namespace msgbus::async
