// There is no overload for one of the types.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct paid {};
struct shipped {};

struct overloaded {
  void operator()(const placed&) const {}
  void operator()(const paid&) const {}
};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.handler<placed, paid>(overloaded{});
#else
  consumer.handler<placed, shipped>(overloaded{});
#endif
}
