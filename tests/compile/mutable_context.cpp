// What is known of a message is not a handler's to change.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&, const msgbus::context&) {});
#else
  consumer.handler([](const placed&, msgbus::context&) {});
#endif
}
