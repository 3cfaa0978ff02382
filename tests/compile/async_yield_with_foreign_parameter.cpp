// Nobody fills in a dependency's other parameters.
#include <msgbus/async/consumer.hpp>

struct placed {};
int base_value() { return 1; }
#ifdef MSGBUS_CONTROL
using more = msgbus::depends<base_value>;
#else
using more = int;
#endif
asio::awaitable<void> get_value(msgbus::async::yield<int> yield, more) { co_await yield(5); }

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
