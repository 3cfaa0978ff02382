// The type in angle brackets is not what the handler takes.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct paid {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler<placed>([](const placed&) {});
#else
  consumer.handler<placed>([](const paid&) {});
#endif
}
