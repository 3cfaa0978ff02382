// The same for an operation, and a dependency of a dependency.
#include <msgbus/async/service.hpp>

void open_session(msgbus::yield<int> yield) { yield(5); }
int get_value(msgbus::depends<open_session> session) { return *session; }

void attach(msgbus::async::service& service) {
#ifdef MSGBUS_CONTROL
  service.handler("update",
                  [](int value, msgbus::depends<get_value> more) { return value + *more; });
#else
  service.handler("update", [](int value, msgbus::depends<get_value> more) -> asio::awaitable<int> {
    co_return value + *more;
  });
#endif
}
