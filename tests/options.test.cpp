#include <msgbus/options.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <iomanip>
#include <sstream>

namespace options_test {

TEST_CASE("receipts add up", "[A7]") {
  msgbus::receipt all{.admitted = 1};
  all += {.dropped = 2};
  all += {.admitted = 3, .rejected = 4};
  CHECK(all == msgbus::receipt{.admitted = 4, .dropped = 2, .rejected = 4});
}

TEST_CASE("a mailbox with default options is bounded, in order, and makes its senders wait",
          "[A4][A6]") {
  const msgbus::async::mailbox_options plain;
  CHECK(plain.capacity == 1024);
  CHECK(plain.concurrency == 1);
  CHECK(plain.on_full == msgbus::async::overflow::suspend);
}

TEST_CASE("receipts, reports and options are printed with their members") {
  std::ostringstream out;
  out << msgbus::receipt{.admitted = 1, .rejected = 2} << '\n'
      << msgbus::drain_report{.handled = 3, .abandoned = 4} << '\n'
      << msgbus::mailbox_options{.capacity = 5, .on_full = msgbus::overflow::drop_oldest} << '\n'
      << msgbus::drain_options{} << '\n'
      << msgbus::drain_options{.grace = std::chrono::milliseconds(5), .wait_for_scheduled = true}
      << '\n'
      << static_cast<msgbus::overflow>(7);
  CHECK(out.str() ==
        "receipt{.admitted = 1, .dropped = 0, .rejected = 2}\n"
        "drain_report{.handled = 3, .failed = 0, .abandoned = 4}\n"
        "mailbox_options{.capacity = 5, .on_full = drop_oldest, .concurrency = 1}\n"
        "drain_options{.grace = nullopt, .wait_for_scheduled = false}\n"
        "drain_options{.grace = 5ms, .wait_for_scheduled = true}\n"
        "overflow(7)");
}

TEST_CASE("a stream's width applies to a printed value as a whole, and no other flag does") {
  std::ostringstream out;
  out << std::hex << std::setw(60) << std::left << msgbus::receipt{.admitted = 17} << '|';
  CHECK(out.str() == "receipt{.admitted = 17, .dropped = 0, .rejected = 0}        |");
}

}  // namespace options_test
