// Only a handler of the async family has a database to write to.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.once = "billing"});
#endif
}
