#pragma once

/// What every component does for its verbs, whatever the message is called.

#include <msgbus/async/detail/core.hpp>
#include <msgbus/async/detail/fan_out.hpp>
#include <msgbus/core/cause.hpp>
#include <msgbus/exec/options.hpp>
#include <msgbus/exec/outgoing.hpp>

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace msgbus::async::detail {

/// The receipt for one mailbox, counting what was not taken.
template <class Outgoing>
receipt receipt_for(exec::put result, core& to, const Outgoing& out) {
  switch (result) {
    case exec::put::taken: return {.admitted = 1};
    case exec::put::dropped: to.dropped_newest(out.message(), out.topic()); return {.dropped = 1};
    case exec::put::full:
    case exec::put::closed: break;
  }
  to.refused(out.message(), out.topic());
  return {.rejected = 1};
}

/// Puts a message into a component's mailbox, without waiting.
template <class Outgoing>
receipt post_to(core& to, Outgoing& out) {
  const snapshot::guard guard(to.routes().guarded());  // a drain waits for it
  return receipt_for(to.mailbox.try_put(out), to, out);
}

/// Whether a `send` that finds the mailbox full waits.
[[nodiscard]] inline bool waits_when_full(const core& to) noexcept {
  return to.mailbox.options().on_full == overflow::suspend;
}

/// A coroutine that can be cancelled must have been resumed by its executor before it takes or
/// gives anything: only then does whoever waits for it learn of that before learning of something
/// else (A9). Throws `operation_aborted`.
asio::awaitable<void> pass_through_executor();

/// Puts a message into a component's mailbox, waiting for room where the mailbox says so.
template <class Outgoing>
asio::awaitable<receipt> send_to(core& to, Outgoing& out, const asio::any_io_executor& here) {
  exec::put result = exec::put::full;
  {
    const snapshot::guard guard(to.routes().guarded());
    result = to.mailbox.try_put(out);
  }
  if (result == exec::put::full && waits_when_full(to)) {
    result = co_await to.mailbox.put_when_room(out, here);
  }
  co_return receipt_for(result, to, out);
}

template <class E>
exec::shared_message share_event(void* home) {
  auto& from = *static_cast<E*>(home);
  check_holds(from);
  return exec::shared_with_cause(std::make_shared<exec::carried_event<E>>(std::move(from)));
}

/// The verbs of a consumer: each coroutine owns the event.
template <class E>
asio::awaitable<std::size_t> deliver_event(std::shared_ptr<core> to, E event) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (!exec::runs_on(here, to->executor())) {
    auto shared = share_event<E>(std::addressof(event));
    co_return co_await deliver_elsewhere(std::move(to), std::move(shared), here);
  }
  const value_ref message = with_event(event, [](value_ref what) { return what; });
  const msgbus::context known = context::caused_by(current_origin());
  delivery d(*to, message, known);
  d.home = std::addressof(event);
  d.share = &share_event<E>;
  if (to->advance(d)) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.slot().is_connected()) co_return co_await deliver_apart(d, here);
    do {  // as deliver_rest, which would be one more frame
      std::exception_ptr failure;
      try {
        auto started = d.start();
        co_await std::move(started);
      } catch (...) {
        failure = std::current_exception();
      }
      to->handler_ended(d, failure);
    } while (to->advance(d));
  }
  d.failed.throw_any();
  co_return d.ran;
}

template <class M>
struct topic_message {
  M message;
  std::string topic;
};

template <class M>
exec::shared_message share_message(void* home) {
  auto& from = *static_cast<topic_message<M>*>(home);
  check_holds(from.message);
  return exec::shared_with_cause(
      std::make_shared<exec::carried_message<M>>(std::move(from.message), std::move(from.topic)));
}

/// The verbs of a subscriber: each coroutine owns message and topic. The topic was checked.
template <class M>
asio::awaitable<std::size_t> deliver_message(std::shared_ptr<core> to, topic_message<M> event) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (!exec::runs_on(here, to->executor())) {
    auto shared = share_message<M>(std::addressof(event));
    co_return co_await deliver_elsewhere(std::move(to), std::move(shared), here);
  }
  const msgbus::context known = context::caused_by(current_origin(), event.topic);
  const value_ref message = with_event(event.message, [](value_ref what) { return what; });
  delivery d(*to, message, known);
  d.home = std::addressof(event);
  d.share = &share_message<M>;
  if (to->advance(d)) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.slot().is_connected()) co_return co_await deliver_apart(d, here);
    co_await deliver_rest(d);
  }
  d.failed.throw_any();
  co_return d.ran;
}

template <class M>
asio::awaitable<receipt> send_message(std::shared_ptr<core> to, topic_message<M> event) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::outgoing_message<M> out(event.message, event.topic);
  co_return co_await send_to(*to, out, here);
}

template <class E>
asio::awaitable<receipt> send_event(std::shared_ptr<core> to, E event) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  exec::outgoing_event<E> out(event);
  exec::put result = exec::put::full;
  {
    const snapshot::guard guard(to->routes().guarded());
    result = to->mailbox.try_put(out);
  }
  if (result == exec::put::full && waits_when_full(*to)) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    result = co_await to->mailbox.put_when_room(out, here);
  }
  co_return receipt_for(result, *to, out);
}

/// Sends to each of them, one after the other where there is room, then to those that were full.
asio::awaitable<receipt> send_to_all(targets all, exec::shared_message message);
receipt post_to_all(const targets& all, const exec::shared_message& message);

}  // namespace msgbus::async::detail
