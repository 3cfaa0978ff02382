// A sync component cannot wait for one of Asio's coroutines either.
#include <msgbus/async.hpp>
#include <msgbus/sync.hpp>

struct placed {};
asio::awaitable<int> get_value() { co_return 5; }

#ifdef MSGBUS_CONTROL
void attach(msgbus::async::consumer& consumer) {
#else
void attach(msgbus::sync::consumer& consumer) {
#endif
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
