// Not even a type that would convert: a typed topic carries its own type only.
#include <msgbus/sync/subscriber.hpp>

inline constexpr msgbus::topic<int> temperature{"temperature"};

int main() {
  msgbus::sync::subscriber subscriber;
#ifdef MSGBUS_CONTROL
  subscriber.receive(20, temperature);
#else
  subscriber.receive(20.5, temperature);
#endif
}
