// A sync handler runs on the thread of its caller.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct executor {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.executor = executor()});
#endif
}
