// What would it be a handler of?
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {});
#else
  consumer.handler([] {});
#endif
}
