// A pointer to a dependency is not the dependency.
#include <msgbus/sync/consumer.hpp>

struct placed {};
int get_five() { return 5; }
inline constexpr auto by_pointer = &get_five;

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](const placed&, msgbus::depends<get_five> five) { (void)*five; });
#else
  consumer.handler([](const placed&, msgbus::depends<by_pointer> five) { (void)*five; });
#endif
}
