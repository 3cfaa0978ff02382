// Nobody can wait for the end of another run.
#include <msgbus/sync/consumer.hpp>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.max_concurrent = 8});
#endif
}
