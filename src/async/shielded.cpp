#include <msgbus/async/shielded.hpp>

#include <msgbus/exec/branches.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/this_coro.hpp>

#include <exception>

namespace msgbus::async::detail {

asio::awaitable<void> run_shielded(asio::awaitable<void> work) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  exec::branches apart;
  apart.start(here, std::move(work));
  co_await apart.join(exec::branches::when_cancelled::leave_branches);
  if (const std::exception_ptr failure = apart.failure(0)) std::rethrow_exception(failure);
}

}  // namespace msgbus::async::detail
