// A handler of a typed topic takes the topic's type.
#include <msgbus/sync/subscriber.hpp>

struct placed {};
struct paid {};
inline constexpr msgbus::topic<placed> order_placed{"orders.placed"};

int main() {
  msgbus::sync::subscriber subscriber;
#ifdef MSGBUS_CONTROL
  subscriber.subscribe(order_placed, [](const placed&) {});
#else
  subscriber.subscribe(order_placed, [](const paid&) {});
#endif
}
