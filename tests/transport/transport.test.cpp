#include <msgbus/transport/transport.hpp>

#include "support/catch.hpp"

#include <vector>

// tests/testing/conformance.test.cpp tries what transports do.

namespace transport_test {

using namespace msgbus::transport;

TEST_CASE("a refused message is a failure of the transport") {
  const message_refused refused("larger than 1048576 bytes");
  CHECK(refused.code() == msgbus::errc::transport_failed);
  CHECK(std::string(refused.what()) == "larger than 1048576 bytes");
}

TEST_CASE("features and urgencies are printed by their names") {
  CHECK(Catch::Detail::stringify(features{.durable = true, .away = true}) ==
        "features{.durable = true, .persistent = false, .holds_back = false, .away = true}");
  CHECK(Catch::Detail::stringify(std::vector{urgency::bulk, urgency::at_once}) ==
        "{ bulk, at_once }");
}

TEST_CASE("a message of a stream is printed with its position") {
  stored_message one;
  one.message.topic = "orders.placed";
  one.message.payload = "{}";
  one.sequence = 7;
  CHECK(Catch::Detail::stringify(one) ==
        R"(stored_message{.message = envelope{.topic = "orders.placed", .headers = headers{}, )"
        R"(.payload = "{}", .reply_to = ""}, .sequence = 7})");
}

}  // namespace transport_test
