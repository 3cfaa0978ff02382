// A key function that does not take the type that it is for.

#include <msgbus/async/consumer.hpp>

struct ordered {
  int account;
};
struct paid {
  int account;
};

void mistake(msgbus::async::consumer& consumer) {
#ifdef MSGBUS_CONTROL
  consumer.ordered_by<paid>([](const paid& event) { return event.account; });
#else
  consumer.ordered_by<paid>([](const ordered& event) { return event.account; });
#endif
}
