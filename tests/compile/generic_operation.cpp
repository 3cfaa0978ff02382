// An operation's parameters have types, for those who call it by name.
#include <msgbus/sync/service.hpp>

int main() {
  msgbus::sync::service service;
#ifdef MSGBUS_CONTROL
  service.handler("update", [](int) {});
#else
  service.handler("update", [](auto) {});
#endif
}
