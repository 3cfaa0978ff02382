#include <msgbus/exec/options.hpp>

#include "support/catch.hpp"

namespace options_test {

TEST_CASE("receipts add up", "[A7]") {
  msgbus::receipt all{.admitted = 1};
  all += {.dropped = 2};
  all += {.admitted = 3, .rejected = 4};
  CHECK(all == msgbus::receipt{.admitted = 4, .dropped = 2, .rejected = 4});
}

TEST_CASE("a mailbox that nothing is said of is bounded, in order, and makes its senders wait",
          "[A4][A6]") {
  const msgbus::async::mailbox_options plain;
  CHECK(plain.capacity == 1024);
  CHECK(plain.concurrency == 1);
  CHECK(plain.on_full == msgbus::async::overflow::suspend);
}

}  // namespace options_test
