// A host ends what has messages of its own: a producer has none.

#include <msgbus/async/host.hpp>
#include <msgbus/async/producer.hpp>

#include <asio/io_context.hpp>

void check(msgbus::async::host& all, msgbus::async::producer& events) {
#ifdef MSGBUS_CONTROL
  (void)all;
  (void)events;
#else
  all.add("events", events);
#endif
}
