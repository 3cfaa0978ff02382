#include <msgbus/transport/memory.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/memory_fixture.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace memory_faults_test {

using namespace std::chrono_literals;
using msgbus::errc;
using msgbus::memory_broker;
using msgbus::testing::manual_clock;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus::transport::stored;
using msgbus::transport::urgency;
using msgbus_test::kept_deliveries;
using msgbus_test::kept_envelopes;
using msgbus_test::made;
using msgbus_test::memory_fixture;
using msgbus_test::thrown_by;

namespace {

using texts = std::vector<std::string>;
using connection = std::shared_ptr<msgbus::transport::transport>;

std::optional<errc> code_of(const std::exception_ptr& failure) {
  if (!failure) return std::nullopt;
  try {
    std::rethrow_exception(failure);
  } catch (const msgbus::error& e) {
    return static_cast<errc>(e.code().value());
  } catch (...) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("cut: published messages are kept, up to a limit, and sent when the connection is back") {
  memory_fixture in;
  // given: a connection that may keep two messages
  msgbus::memory_options small;
  small.away_limit = 2;
  const auto sender = in.broker.connect(in.context.get_executor(), small);
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = in.back->subscribe("a", "", got);
  // when: messages are published while it is away
  in.broker.cut(*sender);
  sender->publish(made("a", "1"), urgency::bulk);
  sender->publish(made("a", "2"), urgency::bulk);
  // then: the third one is refused, and none arrives
  CHECK(code_of(thrown_by([&] { sender->publish(made("a", "3"), urgency::bulk); })) == errc::full);
  in.context.run();
  CHECK(got->payloads().empty());
  // when: the connection is back
  in.broker.restore(*sender);
  sender->publish(made("a", "4"), urgency::bulk);
  in.context.run();
  // then: the kept messages arrive first
  CHECK(got->payloads() == texts{"1", "2", "4"});
}

TEST_CASE("cut: messages of others do not reach a connection that is away") {
  memory_fixture in;
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = in.back->subscribe("a", "", got);
  in.broker.cut(*in.back);
  in.front->publish(made("a", "1"), urgency::bulk);
  in.broker.restore(*in.back);
  in.front->publish(made("a", "2"), urgency::bulk);
  in.context.run();
  CHECK(got->payloads() == texts{"2"});
}

TEST_CASE("cut: when all connections are back, each gets the kept messages") {
  memory_fixture in;
  const auto near = std::make_shared<kept_envelopes>();
  const auto far = std::make_shared<kept_envelopes>();
  const auto one = in.front->subscribe("a", "", near);
  const auto other = in.back->subscribe("a", "", far);
  in.broker.cut();
  in.front->publish(made("a", "from the front"), urgency::bulk);
  in.back->publish(made("a", "from the back"), urgency::bulk);
  in.broker.restore();
  in.context.run();
  CHECK(near->payloads() == texts{"from the back"});
  CHECK(far->payloads() == texts{"from the front"});
}

TEST_CASE("cut: stores and flushes wait for the connection, and time out") {
  memory_fixture in;
  // given: a store and a flush that wait for the connection
  in.broker.cut();
  auto storing = in.context.spawn(in.front->store(made("orders.placed", "1", "id"), 10s));
  auto flushing = in.context.spawn(in.back->flush(5s));
  in.clock.run_for(in.context, 5s);
  // then: each times out at its own time, unless the connection changes
  CHECK_FALSE(storing.done());
  REQUIRE(flushing.done());
  CHECK(code_of(flushing.failure()) == errc::timed_out);
  SECTION("the connection is back in time") {
    in.broker.restore();
    in.context.run();
    CHECK(storing.get().sequence == 1);
  }
  SECTION("the connection is not back in time") {
    in.clock.run_for(in.context, 5s);
    REQUIRE(storing.done());
    CHECK(code_of(storing.failure()) == errc::timed_out);
  }
  SECTION("the connection is closed") {
    in.front->close();
    in.context.run();
    CHECK(code_of(storing.failure()) == errc::closed);
  }
  SECTION("the handle is destroyed") {
    in.front.reset();
    in.context.run();
    CHECK(code_of(storing.failure()) == errc::closed);
  }
  SECTION("the wait is cancelled") {
    storing.cancel();
    in.context.run();
    CHECK(msgbus_test::is_aborted(storing.failure()));
    in.broker.restore();
  }
}

TEST_CASE("cut: operations that need the broker at once throw disconnected") {
  memory_fixture in;
  in.broker.cut(*in.back);
  const auto got = std::make_shared<kept_deliveries>();
  auto pulling = in.context.spawn(in.back->pull({"ORDERS", "billing", ""}, got));
  auto ensuring = in.context.spawn(in.back->ensure_stream({"ORDERS", {"orders.>"}}));
  in.context.run();
  CHECK(code_of(pulling.failure()) == errc::disconnected);
  CHECK(code_of(ensuring.failure()) == errc::disconnected);
}

TEST_CASE("cut: unsettled deliveries go to other connections after ack_wait") {
  memory_fixture in;
  const auto first = std::make_shared<kept_deliveries>();
  const auto second = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, first);
  const auto other = in.pull(in.front, second);
  // given: a delivery of one connection
  source->ask(1);
  for (const char* const each : {"1", "2"}) {
    (void)in.context.run(in.front->store(made("orders.placed", each, each), 1s));
  }
  in.context.run();
  REQUIRE(first->payloads() == texts{"1"});
  // when: that connection is lost
  in.broker.cut(*in.back);
  source->ask(5);
  other->ask(1);
  in.clock.run_for(in.context, 29s);
  // then: before the end of ack_wait, others get only new messages
  CHECK(second->payloads() == texts{"2"});
  other->ask(1);
  in.clock.run_for(in.context, 1s);
  // then: after ack_wait, they get the unsettled one
  REQUIRE(second->payloads() == texts{"2", "1"});
  CHECK(second->at(1).times == 2);
  CHECK(first->payloads() == texts{"1"});
}

TEST_CASE("cut: existing deliveries are in progress again when the connection is back in time") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  // given: two deliveries
  source->ask(5);
  for (const char* const each : {"1", "2"}) {
    (void)in.context.run(in.front->store(made("orders.placed", each, each), 1s));
  }
  in.context.run();
  REQUIRE(got->size() == 2);
  // when: their connection is lost, and is back before the end of ack_wait
  in.broker.cut(*in.back);
  in.clock.run_for(in.context, 29s);
  in.broker.restore(*in.back);
  in.clock.run_for(in.context, 300s);
  // then: they are in progress again
  CHECK(got->size() == 2);
  // then: after their destruction, ack_wait begins
  got->clear();
  in.clock.run_for(in.context, 30s);
  CHECK(got->payloads() == texts{"1", "2"});
}

TEST_CASE("cut: a settlement during the loss takes effect when the connection is back") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  // given: two deliveries
  source->ask(2);
  for (const char* const each : {"1", "2"}) {
    (void)in.context.run(in.front->store(made("orders.placed", each, each), 1s));
  }
  in.context.run();
  REQUIRE(got->size() == 2);
  // when: they get an ack and a nak while the connection is away
  in.broker.cut(*in.back);
  CHECK(got->at(0).ack());
  CHECK(got->at(1).nak(0s));
  source->ask(3);
  in.clock.run_for(in.context, 1s);
  // then: neither is redelivered
  CHECK(got->size() == 2);
  // then: the nak redelivers when the connection is back
  in.broker.restore(*in.back);
  in.clock.run_for(in.context, 60s);
  CHECK(got->payloads() == texts{"1", "2", "2"});
}

TEST_CASE("cut: credit that a source asks for while away counts when the connection is back") {
  memory_fixture in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  in.broker.cut(*in.back);
  (void)in.context.run(in.front->store(made("orders.placed", "1", "1"), 1s));
  source->ask(1);
  in.context.run();
  CHECK(got->size() == 0);
  in.broker.restore(*in.back);
  in.context.run();
  CHECK(got->size() == 1);
}

TEST_CASE("cut: messages of a group go to its present members, and to none if none is present") {
  memory_fixture in;
  // given: a group of two members, one of which is away
  const auto near = std::make_shared<kept_envelopes>();
  const auto far = std::make_shared<kept_envelopes>();
  const auto one = in.front->subscribe("jobs", "g", near);
  const auto other = in.back->subscribe("jobs", "g", far);
  in.broker.cut(*in.back);
  const auto sender = in.broker.connect(in.context.get_executor());
  // when: messages are published
  for (int i = 0; i < 4; ++i) sender->publish(made("jobs"), urgency::bulk);
  in.context.run();
  // then: the present member gets them all
  CHECK(near->payloads().size() == 4);
  CHECK(far->payloads().empty());

  // when: both are away
  in.broker.cut(*in.front);
  const auto answers = std::make_shared<kept_envelopes>();
  const std::string inbox = sender->new_inbox();
  const auto feed = sender->subscribe(inbox, "", answers);
  auto asked = made("jobs");
  asked.reply_to = inbox;
  sender->publish(asked, urgency::at_once);
  in.context.run();
  // then: a request gets the reply for no listeners
  CHECK(answers->all().size() == 1);
}

TEST_CASE("cut: a connection that is made while all are cut is away too") {
  memory_fixture in;
  in.broker.cut();
  const auto made_away = in.broker.connect(in.context.get_executor());
  auto flushing = in.context.spawn(made_away->flush(10s));
  in.context.run();
  CHECK_FALSE(flushing.done());
  in.broker.restore();
  in.context.run();
  CHECK(flushing.done());
}

TEST_CASE("cut: a connection of another broker is refused") {
  memory_fixture in;
  const memory_broker other;
  CHECK_THROWS_AS(other.cut(*in.front), std::invalid_argument);
  CHECK_THROWS_AS(other.restore(*in.front), std::invalid_argument);
}

TEST_CASE("cut: a context that ends destroys the coroutines that wait there", "[A12]") {
  memory_broker broker;
  auto kept = std::make_shared<int>(1);
  std::optional<stepping_context> context(std::in_place);
  std::optional<stepping_context> elsewhere(std::in_place);
  const auto mine = broker.connect(elsewhere->get_executor());
  broker.cut();
  // given: a flush that waits for a connection of another context
  auto waits = [](connection on, std::shared_ptr<int>) -> asio::awaitable<void> {
    co_await on->flush(10s);
  };
  auto waiting = context->spawn(waits(mine, kept));
  context->run();
  CHECK(kept.use_count() == 2);
  // when: the context of the caller or of the connection is destroyed
  SECTION("the caller's") {
    context.reset();
    CHECK(kept.use_count() == 1);
    broker.restore();
  }
  SECTION("the connection's") {
    elsewhere.reset();
    context->run();
    CHECK(code_of(waiting.failure()) == errc::closed);
  }
}

}  // namespace memory_faults_test
