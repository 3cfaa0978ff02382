// A key that std::hash does not take.

#include <msgbus/async/consumer.hpp>

struct account {
  int number;
  friend bool operator==(const account&, const account&) = default;
};
struct paid {
  account of;
};

void mistake(msgbus::async::consumer& consumer) {
#ifdef MSGBUS_CONTROL
  consumer.ordered_by<paid>([](const paid& event) { return event.of.number; });
#else
  consumer.ordered_by<paid>([](const paid& event) { return event.of; });
#endif
}
