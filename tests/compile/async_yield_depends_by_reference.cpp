// The same for a dependency of an async dependency that cleans up.
#include <msgbus/async/consumer.hpp>

struct placed {};
int get_five() { return 5; }
#ifdef MSGBUS_CONTROL
using five = msgbus::depends<get_five>;
#else
using five = const msgbus::depends<get_five>&;
#endif
asio::awaitable<void> get_ten(msgbus::async::yield<int> yield, five half) {
  co_await yield(*half * 2);
}

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, msgbus::depends<get_ten>) {});
}
