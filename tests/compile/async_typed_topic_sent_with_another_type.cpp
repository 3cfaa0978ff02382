// A typed topic carries one type, by every verb.
#include <msgbus/async/publisher.hpp>

inline constexpr msgbus::topic<int> numbers{"numbers"};

void send(msgbus::async::publisher& publisher) {
#ifdef MSGBUS_CONTROL
  (void)publisher.post(5, numbers);
#else
  (void)publisher.post(5.0, numbers);
#endif
}
