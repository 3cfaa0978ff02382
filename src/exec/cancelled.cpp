#include <msgbus/exec/cancelled.hpp>

#include <msgbus/exec/waiter.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::detail {

asio::awaitable<void> until_cancelled(in_async, subscription waited_for) {
  const auto entry = waited_for.entry();
  if (!entry) co_return;
  auto released = std::make_shared<exec::waiter>();
  entry->when_released([released] { released->wake(); });
  if (!released->woken()) co_await released->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw asio::system_error(asio::error::operation_aborted, "cancelled");
  }
}

}  // namespace msgbus::detail
