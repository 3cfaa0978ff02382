// The same for a dependency of an async dependency.
#include <msgbus/async/consumer.hpp>

struct placed {};
int get_five() { return 5; }
#ifdef MSGBUS_CONTROL
using five = msgbus::depends<get_five>;
#else
using five = const msgbus::depends<get_five>&;
#endif
asio::awaitable<int> get_ten(five half) { co_return *half * 2; }

void attach(msgbus::async::consumer& consumer) {
  consumer.handler([](const placed&, msgbus::depends<get_ten>) {});
}
