#include <msgbus/transport/memory.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/memory_fixture.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace memory_test {

using namespace std::chrono_literals;
using msgbus::errc;
using msgbus::memory_broker;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus::transport::urgency;
using msgbus_test::billing_pull;
using msgbus_test::kept_deliveries;
using msgbus_test::kept_envelopes;
using msgbus_test::made;
using msgbus_test::orders_stream;

namespace {

using texts = std::vector<std::string>;
using connection = std::shared_ptr<msgbus::transport::transport>;

}  // namespace

TEST_CASE("memory: a sink is called on its connection's executor, and never inside publish") {
  memory_broker broker;
  stepping_context here, there;
  const auto sender = broker.connect(here.get_executor());
  const auto receiver = broker.connect(there.get_executor());
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = receiver->subscribe("a.*", "", got);
  sender->publish(made("a.b", "one"), urgency::bulk);
  sender->publish(made("a.c", "two"), urgency::at_once);
  CHECK(got->payloads().empty());
  CHECK(here.pending() == 0);
  there.run();
  CHECK(got->payloads() == texts{"one", "two"});
  CHECK(feed->dropped() == 0);
}

TEST_CASE("memory: messages that a sink refuses, or is too slow for, are counted as dropped") {
  memory_broker broker;
  stepping_context context;
  // given: a subscription with a queue for two messages
  msgbus::memory_options small;
  small.pending_limit = 2;
  const auto sender = broker.connect(context.get_executor());
  const auto receiver = broker.connect(context.get_executor(), small);
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = receiver->subscribe("a", "", got);
  // when: three are published
  for (const char* const each : {"1", "2", "3"}) sender->publish(made("a", each), urgency::bulk);
  // then: one is dropped
  CHECK(feed->dropped() == 1);
  context.run();
  CHECK(got->payloads() == texts{"1", "2"});
  // when: the sink refuses a message
  got->refuses = true;
  sender->publish(made("a", "4"), urgency::bulk);
  context.run();
  // then: it is dropped too
  CHECK(feed->dropped() == 2);
}

TEST_CASE("memory: a connection gets its own messages only with echo or urgency") {
  memory_broker broker;
  stepping_context context;
  msgbus::memory_options loud;
  loud.echo = true;
  const auto got = std::make_shared<kept_envelopes>();
  SECTION("no bulk messages") {
    const auto mine = broker.connect(context.get_executor());
    const auto feed = mine->subscribe("a", "", got);
    mine->publish(made("a", "bulk"), urgency::bulk);
    mine->publish(made("a", "at once"), urgency::at_once);
    context.run();
    CHECK(got->payloads() == texts{"at once"});
  }
  SECTION("all messages, with echo") {
    const auto mine = broker.connect(context.get_executor(), loud);
    const auto feed = mine->subscribe("a", "", got);
    mine->publish(made("a", "bulk"), urgency::bulk);
    context.run();
    CHECK(got->payloads() == texts{"bulk"});
  }
}

TEST_CASE("memory: members of a group get messages in turn") {
  memory_broker broker;
  stepping_context context;
  const auto sender = broker.connect(context.get_executor());
  // given: a group of three subscriptions
  std::vector<connection> workers;
  std::vector<std::shared_ptr<kept_envelopes>> got;
  std::vector<std::unique_ptr<msgbus::transport::feed>> feeds;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(broker.connect(context.get_executor()));
    got.push_back(std::make_shared<kept_envelopes>());
    feeds.push_back(workers.back()->subscribe("jobs", "workers", got.back()));
  }
  // when: nine messages are published
  for (int i = 0; i < 9; ++i) sender->publish(made("jobs"), urgency::bulk);
  context.run();
  // then: each receives three
  for (const auto& each : got) CHECK(each->payloads().size() == 3);
  // when: one member stops
  feeds[0]->stop();
  for (int i = 0; i < 4; ++i) sender->publish(made("jobs"), urgency::bulk);
  context.run();
  // then: the others share the next messages
  CHECK(got[0]->payloads().size() == 3);
  CHECK(got[1]->payloads().size() == 5);
}

TEST_CASE("memory: a stopped feed delivers nothing, not even pending messages") {
  memory_broker broker;
  stepping_context context;
  const auto sender = broker.connect(context.get_executor());
  const auto receiver = broker.connect(context.get_executor());
  const auto got = std::make_shared<kept_envelopes>();
  auto feed = receiver->subscribe("a", "", got);
  sender->publish(made("a"), urgency::bulk);
  SECTION("by stop") { feed->stop(); }
  SECTION("by its destructor") { feed.reset(); }
  SECTION("by the end of its connection") { receiver->close(); }
  CHECK(got.use_count() == 1);
  context.run();
  CHECK(got->payloads().empty());
}

TEST_CASE("memory: a request without a listener gets a reply") {
  memory_broker broker;
  stepping_context context;
  const auto mine = broker.connect(context.get_executor());
  const auto got = std::make_shared<kept_envelopes>();
  const std::string inbox = mine->new_inbox();
  const auto feed = mine->subscribe(inbox + ".*", "", got);
  auto asked = made("users.update");
  asked.reply_to = inbox + ".1";
  mine->publish(asked, urgency::at_once);
  context.run();
  REQUIRE(got->all().size() == 1);
  CHECK(got->all()[0].topic == inbox + ".1");
  CHECK(got->all()[0].headers.find(msgbus::header::status)->second == "503");
}

TEST_CASE("memory: the end of a context closes its connections", "[A12]") {
  memory_broker broker;
  stepping_context here;
  const auto mine = broker.connect(here.get_executor());
  here.run(mine->ensure_stream(orders_stream()));
  // given: a source and a subscription on another context
  std::optional<stepping_context> there(std::in_place);
  const auto theirs = broker.connect(there->get_executor());
  const auto lost = std::make_shared<kept_deliveries>();
  const auto heard = std::make_shared<kept_envelopes>();
  const auto source = there->run(theirs->pull(billing_pull(), lost));
  const auto feed = theirs->subscribe("orders.*", "", heard);
  source->ask(5);
  (void)here.run(mine->store(made("orders.placed", "1", "id-1"), 1s));
  there->run_until([&] { return lost->size() == 1; });
  (void)here.run(mine->store(made("orders.placed", "2", "id-2"), 1s));
  // when: that context is destroyed, with an unsettled and a pending delivery
  there.reset();

  // then: its connection is closed
  CHECK(heard.use_count() == 1);
  CHECK(lost.use_count() == 1);
  CHECK_FALSE(lost->at(0).ack());
  CHECK_THROWS_AS(theirs->publish(made("a"), urgency::bulk), msgbus::error);
  // then: both messages go to another source
  const auto got = std::make_shared<kept_deliveries>();
  const auto next = here.run(mine->pull(billing_pull(), got));
  next->ask(5);
  here.run();
  CHECK(got->payloads() == texts{"1", "2"});
  mine->publish(made("orders.placed", "3"), urgency::bulk);
}

TEST_CASE("memory: a connection may be made, used and closed by any thread") {
  asio::thread_pool pool(2);
  memory_broker broker;
  const auto receiver = broker.connect(pool.get_executor());
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = receiver->subscribe("a", "", got);
  // when: threads connect, publish and subscribe
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 2; ++sender) {
    senders.emplace_back([copy = broker, sender, executor = pool.get_executor()] {
      const auto mine = copy.connect(executor);
      for (int i = 0; i < 500; ++i) {
        mine->publish(made("a", std::to_string(sender) + ":" + std::to_string(i)), urgency::bulk);
        const auto unused = mine->subscribe("b", "", std::make_shared<kept_envelopes>());
      }
    });
  }
  for (std::thread& each : senders) each.join();
  pool.join();
  // then: all messages arrive, in the order of each sender
  const auto all = got->payloads();
  REQUIRE(all.size() == 1000);
  int next[2] = {0, 0};
  for (const std::string& each : all) {
    const int sender = each[0] - '0';
    REQUIRE(each.substr(2) == std::to_string(next[sender]++));  // in order, for each sender
  }
}

TEST_CASE("memory: errors describe the fault") {
  stepping_context context;
  memory_broker broker;
  msgbus::memory_options named;
  named.name = "orders";
  const auto mine = broker.connect(context.get_executor(), named);
  const auto error_of = [&](auto call) {
    try {
      call();
    } catch (const msgbus::error& e) {
      return e;
    }
    return msgbus::error(errc::unsupported, "nothing was thrown");
  };
  // then: without a stream, errors name the topic, the header or the stream
  const auto no_stream =
      error_of([&] { (void)context.run(mine->store(made("lost.one", "", "id"), 1s)); });
  CHECK(no_stream.code() == errc::transport_failed);
  CHECK_THAT(no_stream.what(), msgbus_test::contains("lost.one"));
  const auto no_id = error_of([&] { (void)context.run(mine->store(made("a"), 1s)); });
  CHECK_THAT(no_id.what(), msgbus_test::contains("Nats-Msg-Id"));
  const auto missing = error_of(
      [&] { (void)context.run(mine->pull(billing_pull(), std::make_shared<kept_deliveries>())); });
  CHECK_THAT(missing.what(), msgbus_test::contains("ORDERS"));

  // then: with a stream, errors name the overlap and the filter
  context.run(mine->ensure_stream(orders_stream()));
  auto overlapping = orders_stream();
  overlapping.name = "PAID";
  overlapping.topics = {"*.paid"};
  const auto overlaps = error_of([&] { context.run(mine->ensure_stream(overlapping)); });
  CHECK_THAT(overlaps.what(), msgbus_test::contains("ORDERS"));
  auto elsewhere = billing_pull();
  elsewhere.filter = "bills.>";
  const auto no_match = error_of(
      [&] { (void)context.run(mine->pull(elsewhere, std::make_shared<kept_deliveries>())); });
  CHECK_THAT(no_match.what(), msgbus_test::contains("bills.>"));

  // then: after close, the error names the connection
  mine->close();
  const auto closed = error_of([&] { mine->publish(made("a"), urgency::bulk); });
  CHECK(closed.code() == errc::closed);
  CHECK_THAT(closed.what(), msgbus_test::contains("'orders'"));
}

namespace {

asio::awaitable<void> place_two(connection at) {
  auto stream = orders_stream();
  co_await at->ensure_stream(stream);
  for (const char* const each : {"1", "2"}) {
    auto message = made("orders.placed", each, each);
    (void)co_await at->store(message, 1s);
  }
  co_await at->flush(1s);
}

asio::awaitable<void> until_given(std::shared_ptr<kept_deliveries> to, std::size_t many) {
  while (to->size() < many) co_await msgbus_test::hop();
}

asio::awaitable<void> sell(connection front, connection back, manual_clock& clock) {
  const auto heard = std::make_shared<kept_envelopes>();
  const auto feed = back->subscribe("orders.*", "g", heard);
  co_await place_two(front);
  const auto got = std::make_shared<kept_deliveries>();
  auto which = billing_pull();
  const auto source = co_await back->pull(which, got);
  source->ask(3);
  co_await until_given(got, 2);
  got->at(0).nak(1s);
  got->at(1).ack();
  clock.advance(1s);
  co_await until_given(got, 3);
  source->stop();
  got->clear();
  back->close();
}

}  // namespace

TEST_CASE("memory: the transport is torn down safely after each step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context)
        : clock(context),
          front(broker.connect(context.get_executor())),
          back(broker.connect(asio::make_strand(context.get_executor()))),
          running(context.spawn(sell(front, back, clock))) {}

    manual_clock clock;
    memory_broker broker;
    connection front, back;
    msgbus::testing::spawned<void> running;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); },
      {.order = msgbus::testing::teardown::both});  // the coroutine uses the scenario's clock
  CHECK(report.steps > 10);
}

TEST_CASE("a value of type stored is printed with its members") {
  std::ostringstream out;
  out << msgbus::transport::stored{.stream = "orders", .sequence = 3, .duplicate = true};
  CHECK(out.str() == R"(stored{.stream = "orders", .sequence = 3, .duplicate = true})");
}

TEST_CASE("memory: a broker takes a context where it takes an executor") {
  memory_broker broker;
  asio::io_context io;
  stepping_context steps;
  const auto sender = broker.connect(io, {.name = "sender"});
  const auto receiver = broker.connect(steps);
  CHECK(sender->get_executor() == asio::any_io_executor(io.get_executor()));
  CHECK(receiver->get_executor() == asio::any_io_executor(steps.get_executor()));
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = receiver->subscribe("a", "", got);
  sender->publish(made("a", "one"), urgency::bulk);
  steps.run();
  CHECK(got->payloads() == texts{"one"});
}

}  // namespace memory_test
