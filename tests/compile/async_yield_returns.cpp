// What an async dependency gives, it gives by its yield.
#include <msgbus/async/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
asio::awaitable<void> get_value(msgbus::async::yield<int> yield) { co_await yield(5); }
#else
asio::awaitable<int> get_value(msgbus::async::yield<int> yield) {
  co_await yield(5);
  co_return 5;
}
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
