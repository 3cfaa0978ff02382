// A verb has its caller to wait for it, and no place in a mailbox.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.retry = {.hold_order = false}});
#endif
}
