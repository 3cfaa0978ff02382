// A handler that changes the session would change a copy of what the override cleans up.
#include <msgbus/sync/consumer.hpp>

struct session {
  int changes = 0;
};
inline constexpr msgbus::required<session&> get_session{"session"};

int main() {
  msgbus::sync::consumer consumer;
#ifdef MSGBUS_CONTROL
  consumer.override(get_session, [](msgbus::yield<session&> yield) {
    session mine;
    yield(mine);
  });
#else
  consumer.override(get_session, [](msgbus::yield<session> yield) { yield(session{}); });
#endif
}
