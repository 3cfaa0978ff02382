// The context comes after the event that it is of.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&, const msgbus::context&) {});
#else
  consumer.handler([](const msgbus::context&, const placed&) {});
#endif
}
