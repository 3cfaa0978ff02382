// A dependency needs other dependencies only.
#include <msgbus/sync/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
int get_value() { return 5; }
#else
int get_value(int given) { return given; }
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
