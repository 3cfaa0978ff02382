// A generic dependency does not say what it needs.
#include <msgbus/sync/consumer.hpp>

struct placed {};
#ifdef MSGBUS_CONTROL
inline constexpr auto get_value = [] { return 5; };
#else
inline constexpr auto get_value = [](auto...) { return 5; };
#endif

int main() {
  msgbus::sync::consumer consumer;
  consumer.handler([](const placed&, msgbus::depends<get_value>) {});
}
