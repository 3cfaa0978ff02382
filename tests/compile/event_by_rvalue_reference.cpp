// A handler that moves from its event would leave nothing to the handlers after it.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](placed) {});
#else
  consumer.handler([](placed&&) {});
#endif
}
