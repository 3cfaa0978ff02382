#include <msgbus/detail/exec/cancellation.hpp>

#include <msgbus/detail/exec/one_shot_event.hpp>

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

namespace msgbus::exec {

bool is_aborted(const std::exception_ptr& thrown) noexcept {
  if (!thrown) return false;
  try {
    std::rethrow_exception(thrown);
  } catch (const asio::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::exception_ptr aborted(const char* wait) noexcept {
  try {
    return std::make_exception_ptr(asio::system_error(asio::error::operation_aborted, wait));
  } catch (...) {
    return std::current_exception();  // no memory for its text
  }
}

void throw_aborted(const char* wait) {
  throw asio::system_error(asio::error::operation_aborted, wait);
}

}  // namespace msgbus::exec

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
