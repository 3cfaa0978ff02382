#include <msgbus/async/shielded.hpp>

#include "exec/task_group.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/this_coro.hpp>

#include <exception>

namespace msgbus::async::detail {

asio::awaitable<void> run_shielded(asio::awaitable<void> work) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::task_group apart;
  apart.start(here, std::move(work));
  co_await apart.join(exec::task_group::when_cancelled::leave_tasks);
  if (const std::exception_ptr failure = apart.failure(0)) std::rethrow_exception(failure);
}

}  // namespace msgbus::async::detail
