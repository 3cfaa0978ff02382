// A coroutine begins once what a handler was called with is gone; so it takes a depends by value.
#include <msgbus/async/consumer.hpp>

struct placed {};
int get_five() { return 5; }
#ifdef MSGBUS_CONTROL
using five = msgbus::depends<get_five>;
#else
using five = const msgbus::depends<get_five>&;
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, five) -> asio::awaitable<void> { co_return; });
}
