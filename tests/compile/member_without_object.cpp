// A member function is called on something.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct projection {
  void on_placed(const placed&) {}
};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  projection object;
  consumer.handler(&projection::on_placed, object);
#else
  consumer.handler(&projection::on_placed);
#endif
}
