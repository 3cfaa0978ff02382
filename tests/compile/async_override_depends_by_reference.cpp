// The same for an async override's own dependencies.
#include <msgbus/async/consumer.hpp>

int get_five() { return 5; }
int get_ten() { return 10; }
#ifdef MSGBUS_CONTROL
using five = msgbus::depends<get_five>;
#else
using five = const msgbus::depends<get_five>&;
#endif

void attach(msgbus::async::consumer& consumer) {
  consumer.override(get_ten, [](five half) -> asio::awaitable<int> { co_return *half * 2; });
}
