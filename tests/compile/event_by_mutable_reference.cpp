// A handler that changes its event would change it for the handlers after it.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {});
#else
  consumer.handler([](placed&) {});
#endif
}
