// A one_of<> is an event of no type.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](msgbus::one_of<placed>) {});
#else
  consumer.handler([](const msgbus::one_of<>& event) { (void)event.name(); });
#endif
}
