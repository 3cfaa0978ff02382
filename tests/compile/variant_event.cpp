// No event that arrives is a variant: it arrives as what it holds.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct paid {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler([](msgbus::one_of<placed, paid>) {});
#else
  consumer.handler([](const std::variant<placed, paid>&) {});
#endif
}
