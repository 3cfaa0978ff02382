#include <msgbus/async/detail/verbs.hpp>

#include <msgbus/core/cause.hpp>
#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/branches.hpp>
#include <msgbus/exec/lane_executor.hpp>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace msgbus::async::detail {

asio::awaitable<void> pass_through_executor() {
  co_await asio::post(asio::use_awaitable);
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "send");
}

exec::shared_message share(exec::held_message& message) {
  (void)message.get();
  return exec::shared_with_cause(message.share());
}

namespace {

exec::shared_message share_at(void* home) { return share(*static_cast<exec::held_message*>(home)); }

}  // namespace

asio::awaitable<std::size_t> deliver(std::shared_ptr<core> to, exec::held_message message) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  if (!exec::runs_on(here, to->executor())) {
    auto shared = share(message);
    co_return co_await deliver_elsewhere(std::move(to), std::move(shared), here);
  }
  const exec::carried& given = message.get();
  const msgbus::context known = context::caused_by(current_origin(), given.topic());
  delivery d(*to, given.message(), known);
  d.home = std::addressof(message);
  d.share = &share_at;
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

exec::put offer(core& to, exec::outgoing& out) {
  const snapshot::guard guard(to.routes().guarded());  // a drain waits for it
  return to.mailbox.try_put(out);
}

receipt receipt_for(exec::put result, core& to, const exec::outgoing& out) {
  switch (result) {
    case exec::put::taken: return {.admitted = 1};
    case exec::put::dropped: to.dropped_newest(out.message(), out.topic()); return {.dropped = 1};
    case exec::put::full:
    case exec::put::closed: break;
  }
  to.refused(out.message(), out.topic());
  return {.rejected = 1};
}

receipt post_to(core& to, exec::outgoing& out) { return receipt_for(offer(to, out), to, out); }

asio::awaitable<receipt> send_to(core& to, exec::outgoing& out, const asio::any_io_executor& here) {
  exec::put result = offer(to, out);
  if (result == exec::put::full && waits_when_full(to)) {
    result = co_await to.mailbox.put_when_room(out, here);
  }
  co_return receipt_for(result, to, out);
}

asio::awaitable<receipt> send(std::shared_ptr<core> to, exec::held_message message) {
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.slot().is_connected()) co_await pass_through_executor();
  exec::outgoing out = message.on_its_way();
  exec::put result = offer(*to, out);
  if (result == exec::put::full && waits_when_full(*to)) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    result = co_await to->mailbox.put_when_room(out, here);
  }
  co_return receipt_for(result, *to, out);
}

receipt post_to_all(const targets& all, const exec::shared_message& message) {
  receipt total;
  for (const auto& each : all) {
    exec::outgoing out(message);
    total += post_to(*each, out);
  }
  return total;
}

namespace {

asio::awaitable<void> send_share(std::shared_ptr<core> to, exec::shared_message message,
                                 asio::any_io_executor here, std::shared_ptr<receipt> result) {
  exec::outgoing out(message);
  *result += co_await send_to(*to, out, here);
}

}  // namespace

asio::awaitable<receipt> send_to_all(targets all, exec::shared_message message) {
  const auto state = co_await asio::this_coro::cancellation_state;
  const bool cancellable = state.slot().is_connected();
  if (cancellable) co_await pass_through_executor();
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  receipt total;
  targets full;
  for (const auto& each : all) {
    exec::outgoing out(message);
    const exec::put result = offer(*each, out);
    if (result == exec::put::full && waits_when_full(*each)) {
      full.push_back(each);
    } else {
      total += receipt_for(result, *each, out);
    }
  }
  if (full.size() == 1) {
    exec::outgoing out(message);
    total += co_await send_to(*full.front(), out, here);
  } else if (!full.empty()) {
    // At the same time: one that stays full must not keep the others waiting.
    exec::branches together;
    std::vector<std::shared_ptr<receipt>> results;
    for (const auto& each : full) {
      results.push_back(std::make_shared<receipt>());
      together.start(exec::child_executor(here, here, cancellable),
                     send_share(each, message, here, results.back()));
    }
    co_await together.join();
    failures failed;
    std::exception_ptr aborted;  // however many were cancelled, it is one cancellation
    for (std::size_t i = 0; i < full.size(); ++i) {
      const auto failure = together.failure(i);
      if (exec::is_aborted(failure)) {
        aborted = failure;
      } else if (failure) {
        failed.add(failure);
      }
      total += *results[i];
    }
    failed.throw_any();
    if (aborted) std::rethrow_exception(aborted);
  }
  co_return total;
}

}  // namespace msgbus::async::detail
