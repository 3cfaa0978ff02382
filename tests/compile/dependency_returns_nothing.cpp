// There would be nothing to inject.
#include <msgbus/sync/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
int get_value() { return 5; }
#else
void get_value() {}
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
