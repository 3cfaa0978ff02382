// There is no pause to grow.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.retry = {.kind = msgbus::backoff_kind::linear}});
#endif
}
