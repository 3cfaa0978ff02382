#include <msgbus/transport/delivery.hpp>

#include "support/catch.hpp"

#include <stdexcept>

// tests/testing/conformance.test.cpp tries what transports do with these interfaces.

namespace delivery_test {

using msgbus::transport::delivery;

namespace {

struct unsettled final : delivery {
  using delivery::delivery;
  bool ack() noexcept override { return false; }
  bool nak(std::chrono::nanoseconds /*delay*/) noexcept override { return false; }
  bool term() noexcept override { return false; }
};

struct refusing final : msgbus::transport::sink {
  bool take(msgbus::envelope&& /*message*/, bool /*may_wait*/) noexcept override { return false; }
};

}  // namespace

TEST_CASE("a delivery has the message, the number of its deliveries and its position") {
  msgbus::envelope message;
  message.topic = "orders.placed";
  const unsettled one(std::move(message), 2, 7);
  CHECK(one.message.topic == "orders.placed");
  CHECK(one.times == 2);
  CHECK(one.sequence == 7);
}

TEST_CASE("a sink may ignore the end of a batch, a lost connection and its own end") {
  refusing sink;
  sink.caught_up();
  sink.interrupted();
  sink.ended(std::make_exception_ptr(std::runtime_error("refused")));
  CHECK_FALSE(sink.take({}, false));
}

}  // namespace delivery_test
