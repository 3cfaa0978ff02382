// A member function is called on something, whatever types are named for it.
#include <msgbus/sync/consumer.hpp>

struct placed {};
struct projection {
  void on_placed(const placed&) {}
};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  projection object;
  consumer.handler<placed>(&projection::on_placed, object);
#else
  consumer.handler<placed>(&projection::on_placed);
#endif
}
