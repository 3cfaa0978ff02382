// Nobody can wait for a permit.
#include <msgbus/sync/consumer.hpp>

#include <memory>

struct placed {};
struct permits {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.semaphore = std::make_shared<permits>()});
#endif
}
