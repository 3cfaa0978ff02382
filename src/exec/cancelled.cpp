#include <msgbus/exec/cancelled.hpp>

#include <msgbus/exec/aborted.hpp>
#include <msgbus/exec/one_shot_event.hpp>

#include <asio/this_coro.hpp>

namespace msgbus::detail {

asio::awaitable<void> until_cancelled(in_async, subscription waited_for) {
  const auto entry = waited_for.entry();
  if (!entry) co_return;
  auto released = std::make_shared<exec::one_shot_event>();
  entry->when_released([released] { released->set(); });
  if (!released->is_set()) co_await released->wait();
  const auto state = co_await asio::this_coro::cancellation_state;
  exec::throw_if_aborted(state, "cancelled");
}

}  // namespace msgbus::detail
