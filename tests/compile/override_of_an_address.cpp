// The address of a pointer is not the dependency's.
#include <msgbus/sync/consumer.hpp>

int get_five() { return 5; }

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.override(get_five, [] { return 6; });
#else
  consumer.override(&get_five, [] { return 6; });
#endif
}
