// A dependency that cleans up needs other dependencies only.
#include <msgbus/sync/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
void get_value(msgbus::yield<int> yield) { yield(5); }
#else
void get_value(msgbus::yield<int> yield, int given) { yield(given); }
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
