// An awaitable of another executor cannot be awaited by the library's coroutines.
#include <msgbus/async/service.hpp>

#include <asio/io_context.hpp>

#ifdef MSGBUS_CONTROL
using result = asio::awaitable<int>;
#else
using result = asio::awaitable<int, asio::io_context::executor_type>;
#endif

void attach(msgbus::async::service& service) {
  service.handler("update", [](int value) -> result { co_return value; });
}
