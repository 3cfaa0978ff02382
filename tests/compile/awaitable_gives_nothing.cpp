// A dependency is for its value.
#include <msgbus/async/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
asio::awaitable<int> get_value() { co_return 5; }
#else
asio::awaitable<void> get_value() { co_return; }
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
