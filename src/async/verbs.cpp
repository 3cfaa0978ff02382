#include <msgbus/async/detail/verbs.hpp>

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/branches.hpp>

namespace msgbus::async::detail {

asio::awaitable<void> pass_through_executor() {
  co_await asio::post(asio::use_awaitable);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw asio::system_error(asio::error::operation_aborted, "send");
  }
}

receipt post_to_all(const targets& all, const exec::shared_message& message) {
  receipt total;
  for (const auto& each : all) {
    exec::outgoing_share out(message);
    total += post_to(*each, out);
  }
  return total;
}

namespace {

asio::awaitable<void> send_share(std::shared_ptr<core> to, exec::shared_message message,
                                 asio::any_io_executor here, std::shared_ptr<receipt> result) {
  exec::outgoing_share out(message);
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
    exec::outgoing_share out(message);
    exec::put result = exec::put::full;
    {
      const snapshot::guard guard(each->routes().guarded());
      result = each->mailbox.try_put(out);
    }
    if (result == exec::put::full && waits_when_full(*each)) {
      full.push_back(each);
    } else {
      total += receipt_for(result, *each, out);
    }
  }
  if (full.size() == 1) {
    exec::outgoing_share out(message);
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
