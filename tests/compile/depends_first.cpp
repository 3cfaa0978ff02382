// The first parameter is the event, whatever its type.
#include <msgbus/sync/consumer.hpp>

struct placed {};
int get_five() { return 5; }

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&, msgbus::depends<get_five>) {});
#else
  consumer.handler([](msgbus::depends<get_five>, const placed&) {});
#endif
}
