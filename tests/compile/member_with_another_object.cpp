// A member function is called on an object of its class.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct projection {
  void on_placed(const placed&) {}
};
struct other {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  projection object;
#else
  other object;
#endif
  consumer.handler(&projection::on_placed, object);
}
