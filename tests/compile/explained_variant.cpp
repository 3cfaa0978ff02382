// No event that arrives is a variant: there is no one answer to where it goes.
#include <msgbus/sync/explain.hpp>

#include <variant>

struct placed {};
struct paid {};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  (void)msgbus::explain<placed>(consumer);
#else
  (void)msgbus::explain<std::variant<placed, paid>>(consumer);
#endif
}
