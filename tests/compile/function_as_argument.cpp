// A function is no object that could be referred to.
#include <msgbus/sync/service.hpp>

int twice(int value) { return 2 * value; }

int main() {
  msgbus::sync::service service;
  service.handler("apply", [](int (*)(int)) {});
#ifdef MSGBUS_CONTROL
  service.execute("apply", &twice);
#else
  service.execute("apply", twice);
#endif
}
