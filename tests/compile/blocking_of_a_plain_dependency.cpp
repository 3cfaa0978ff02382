// What a sync component can call already needs no wrapping.
#include <msgbus/async/blocking.hpp>

#ifdef MSGBUS_CONTROL
asio::awaitable<int> get_value() { co_return 5; }
#else
int get_value() { return 5; }
#endif

auto wrapped = msgbus::async::blocking(get_value);
