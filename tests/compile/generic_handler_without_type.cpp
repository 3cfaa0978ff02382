// A generic handler does not say which events it wants.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler<placed>([](const auto&) {});
#else
  consumer.handler([](const auto&) {});
#endif
}
