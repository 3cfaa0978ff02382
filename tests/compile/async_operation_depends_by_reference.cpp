// The same for an operation.
#include <msgbus/async/service.hpp>

int get_five() { return 5; }
#ifdef MSGBUS_CONTROL
using five = msgbus::depends<get_five>;
#else
using five = const msgbus::depends<get_five>&;
#endif

void attach(msgbus::async::service& service) {
  service.handler("add", [](int a, five b) -> asio::awaitable<int> { co_return a + *b; });
}
