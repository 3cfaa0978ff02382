// A typed topic carries its own type only.
#include <msgbus/sync/publisher.hpp>

struct placed {};
struct paid {};
inline constexpr msgbus::topic<placed> order_placed{"orders.placed"};

int main() {
  msgbus::sync::publisher publisher;
#ifdef MSGBUS_CONTROL
  publisher.publish(placed{}, order_placed);
#else
  publisher.publish(paid{}, order_placed);
#endif
}
