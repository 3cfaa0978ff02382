// A typed topic is one topic, not a pattern.
#include <msgbus/topic.hpp>

struct placed {};

#ifdef MSGBUS_CONTROL
inline constexpr msgbus::topic<placed> order_placed{"orders.placed"};
#else
inline constexpr msgbus::topic<placed> order_placed{"orders.*"};
#endif

int main() {}
