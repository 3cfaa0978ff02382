// Nobody can cancel a function that runs on its caller's thread.
#include <msgbus/sync/consumer.hpp>

#include <chrono>

struct placed {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&) {}, {.retry = {.attempts = 2}});
#else
  consumer.handler([](const placed&) {}, {.deadline = std::chrono::minutes(2)});
#endif
}
