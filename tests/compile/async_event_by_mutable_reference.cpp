// Other handlers get the same event.
#include <msgbus/async/consumer.hpp>

struct placed {
  int id;
};

void attach(msgbus::async::consumer& consumer) {
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) -> asio::awaitable<void> { co_return; });
#else
  consumer.handler([](placed&) -> asio::awaitable<void> { co_return; });
#endif
}
