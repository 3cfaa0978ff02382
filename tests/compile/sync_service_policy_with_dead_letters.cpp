// A replay needs an executor to run on.
#include <msgbus/sync/service.hpp>

#include <memory>

int main() {
  msgbus::sync::service service;
#ifdef MSGBUS_CONTROL
  service.handler("place", [](int) {}, {.retry = {.attempts = 2}});
#else
  service.handler("place", [](int) {}, {.dead_letters = std::make_shared<int>()});
#endif
}
