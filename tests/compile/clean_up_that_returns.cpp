// A dependency gives its value by yielding or by returning it, not by both.
#include <msgbus/sync/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
void get_value(msgbus::yield<int> yield) { yield(5); }
#else
int get_value(msgbus::yield<int> yield) {
  yield(5);
  return 5;
}
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
