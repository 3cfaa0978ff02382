// The event's type is named, but there is nothing to pass the event to.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler<placed>([](const placed&) {});
#else
  consumer.handler<placed>([] {});
#endif
}
