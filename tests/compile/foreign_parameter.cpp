// Nobody would know what to pass for the second parameter.
#include <msgbus/sync/consumer.hpp>

struct placed {};
int get_five() { return 5; }

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&, msgbus::depends<get_five>) {});
#else
  consumer.handler([](const placed&, int) {});
#endif
}
