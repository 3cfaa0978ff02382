// A generic handler does not say which messages it wants.
#include <msgbus/sync/subscriber.hpp>

struct placed {};
struct paid {};

int main() {
  msgbus::sync::subscriber subscriber;
#ifdef MSGBUS_CONTROL
  subscriber.subscribe<placed, paid>("orders", [](const auto&) {});
#else
  subscriber.subscribe("orders", [](const auto&) {});
#endif
}
