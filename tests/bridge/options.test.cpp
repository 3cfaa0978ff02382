#include <msgbus/bridge/options.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace options_test {

using namespace std::chrono_literals;

TEST_CASE("links have bounded buffers and mailboxes by default") {
  CHECK(msgbus::outbound_options{}.mailbox.capacity == msgbus::mailbox_options{}.capacity);
  CHECK(msgbus::inbound_options{}.buffer > 0);
  CHECK(msgbus::serve_options{}.buffer > 0);
  CHECK(msgbus::serve_options{}.concurrency > 0);
}

TEST_CASE("both ends of a link use the same topics by default") {
  CHECK(msgbus::outbound_options{}.prefix == msgbus::inbound_options{}.prefix);
  CHECK(msgbus::store_options{}.prefix == msgbus::durable_options{}.prefix);
}

TEST_CASE("calls, stores and deliveries end by default") {
  CHECK(msgbus::call_options{}.timeout > 0s);
  CHECK(msgbus::store_options{}.timeout > 0s);
  const msgbus::durable_options durable;
  CHECK(durable.ack_wait > 0s);
  CHECK(durable.max_deliver > 0);
  CHECK(durable.backoff < durable.max_backoff);
}

}  // namespace options_test
