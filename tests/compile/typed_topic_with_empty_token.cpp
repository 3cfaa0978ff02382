// A slip in a typed topic's name is found when compiling.
#include <msgbus/topic.hpp>

struct placed {};

#ifdef MSGBUS_CONTROL
inline constexpr msgbus::topic<placed> order_placed{"orders.placed"};
#else
inline constexpr msgbus::topic<placed> order_placed{"orders..placed"};
#endif

int main() {}
