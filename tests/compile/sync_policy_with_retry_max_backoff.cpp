// There is no pause before the next attempt.
#include <msgbus/sync/consumer.hpp>

#include <chrono>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.retry = {.max_backoff = std::chrono::hours(2)}});
#endif
}
