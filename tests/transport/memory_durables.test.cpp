// The memory transport: durable consumers, their deliveries and settlements.

#include <msgbus/transport/memory.hpp>

#include <msgbus/error.hpp>

#include "support/catch.hpp"
#include "support/memory_fixture.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace memory_durables_test {

using namespace std::chrono_literals;
using msgbus_test::billing_pull;
using msgbus_test::kept_deliveries;
using msgbus_test::memory_fixture;

namespace {

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("memory: a delivery is in progress while it exists, and then ack_wait begins") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  // given: a delivery
  in.store("1");
  source->ask(2);
  in.context.run();
  REQUIRE(got->size() == 1);
  CHECK(got->at(0).times == 1);
  // when: a time longer than ack_wait passes
  in.clock.run_for(in.context, 90s);
  // then: it is not redelivered
  CHECK(got->size() == 1);  // it is in progress
  // when: the delivery is destroyed
  got->clear();
  in.clock.run_for(in.context, 29s);
  CHECK(got->size() == 0);
  in.clock.run_for(in.context, 1s);
  // then: it is redelivered after ack_wait
  REQUIRE(got->size() == 1);
  CHECK(got->at(0).times == 2);
  CHECK(got->at(0).message.headers.find(msgbus::header::message_id)->second == "id-1");
  // then: after an ack, it is never redelivered
  CHECK(got->at(0).ack());
  in.clock.run_for(in.context, 60s);
  CHECK(got->size() == 1);
  CHECK(in.clock.waiting() == 0);
}

TEST_CASE("memory: a nak redelivers after its delay, and a term never") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  // given: a delivery
  in.store("1");
  source->ask(10);
  in.context.run();
  REQUIRE(got->size() == 1);
  SECTION("a nak redelivers after its delay") {
    CHECK(got->at(0).nak(5s));
    in.clock.run_for(in.context, 4s);
    CHECK(got->size() == 1);
    in.clock.run_for(in.context, 1s);
    REQUIRE(got->size() == 2);
    CHECK(got->at(1).times == 2);
  }
  SECTION("a nak without a delay redelivers at once") {
    CHECK(got->at(0).nak(0s));
    in.context.run();
    CHECK(got->size() == 2);
  }
  SECTION("a term does not redeliver") {
    CHECK(got->at(0).term());
    in.clock.run_for(in.context, 60s);
    CHECK(got->size() == 1);
  }
}

TEST_CASE("memory: unsettled messages of a closed connection go to others at once") {
  memory_fixture in;
  const auto first = std::make_shared<kept_deliveries>();
  const auto second = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, first);
  const auto other = in.broker.connect(in.context.get_executor());
  const auto next = in.pull(other, second);
  // given: two deliveries, one of them acknowledged
  in.store("1");
  in.store("2");
  source->ask(2);
  in.context.run();
  REQUIRE(first->size() == 2);
  CHECK(first->at(0).ack());
  next->ask(5);
  in.context.run();
  CHECK(second->size() == 0);
  // when: their connection is closed
  in.back->close();
  CHECK_FALSE(first->at(1).ack());
  in.context.run();
  // then: the unsettled one goes to another source at once
  CHECK(second->payloads() == texts{"2"});
  CHECK(second->at(0).times == 2);
  REQUIRE(first->why());
  CHECK_THAT(msgbus::describe(first->why()), msgbus_test::contains("ORDERS"));
}

TEST_CASE("memory: a stopped source returns its pending deliveries") {
  memory_fixture in;
  const auto first = std::make_shared<kept_deliveries>();
  const auto second = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, first);
  const auto next = in.pull(in.front, second);
  // given: a delivery, and a pending one
  in.store("1");
  in.store("2");
  source->ask(1);
  in.context.run();
  source->ask(1);  // the second delivery is pending
  // when: the source is stopped
  source->stop();
  CHECK(first.use_count() == 1);
  next->ask(5);
  in.context.run();
  // then: the pending message goes to another source, as its first delivery
  CHECK(first->payloads() == texts{"1"});
  CHECK(second->payloads() == texts{"2"});
  CHECK(second->at(0).times == 1);
  CHECK(first->at(0).ack());  // a delivery may be settled after the stop
  in.clock.run_for(in.context, 29s);
  CHECK(second->size() == 1);
}

TEST_CASE("memory: a durable keeps its filter, and gets a new ack_wait") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  auto other = billing_pull();
  other.filter = "orders.paid";
  CHECK_THROWS_AS(in.context.run(in.back->pull(other, got)), msgbus::error);
  auto shorter = billing_pull();
  shorter.ack_wait = 5s;
  const auto again = in.context.run(in.back->pull(shorter, got));
  in.store("1");
  source->ask(2);
  in.context.run();
  got->clear();
  in.clock.run_for(in.context, 5s);
  CHECK(got->size() == 1);
}

}  // namespace memory_durables_test
