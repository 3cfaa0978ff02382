// A clean-up that runs on one stack cannot surround a handler that suspends.
#include <msgbus/async/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
asio::awaitable<void> open_session(msgbus::async::yield<int> yield) { co_await yield(5); }
#else
void open_session(msgbus::yield<int> yield) { yield(5); }
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.handler(
      [](const placed&, msgbus::depends<open_session>) -> asio::awaitable<void> { co_return; });
}
