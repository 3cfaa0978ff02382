#include <msgbus/transport/memory.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/transports.hpp"

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
using msgbus_test::kept_deliveries;
using msgbus_test::kept_envelopes;
using msgbus_test::made;

namespace {

using texts = std::vector<std::string>;
using connection = std::shared_ptr<msgbus::transport::transport>;

msgbus::transport::stream_options orders() {
  msgbus::transport::stream_options how;
  how.name = "ORDERS";
  how.topics = {"orders.>"};
  return how;
}

msgbus::transport::pull_options billing() {
  msgbus::transport::pull_options which;
  which.stream = "ORDERS";
  which.durable = "billing";
  return which;
}

// A broker with a stream, and connections on a context whose time stands still.
struct shop {
  stepping_context context;
  manual_clock clock{context};
  memory_broker broker;
  connection front = broker.connect(context.get_executor());
  connection back = broker.connect(context.get_executor());

  shop() { context.run(front->ensure_stream(orders())); }

  void store(const std::string& payload) {
    (void)context.run(front->store(made("orders.placed", payload, "id-" + payload), 1s));
  }
  std::unique_ptr<msgbus::transport::source> pull(const connection& at,
                                                  const std::shared_ptr<kept_deliveries>& to) {
    return context.run(at->pull(billing(), to));
  }
};

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
  msgbus::memory_options small;
  small.pending_limit = 2;
  const auto sender = broker.connect(context.get_executor());
  const auto receiver = broker.connect(context.get_executor(), small);
  const auto got = std::make_shared<kept_envelopes>();
  const auto feed = receiver->subscribe("a", "", got);
  for (const char* const each : {"1", "2", "3"}) sender->publish(made("a", each), urgency::bulk);
  CHECK(feed->dropped() == 1);
  context.run();
  CHECK(got->payloads() == texts{"1", "2"});
  got->refuses = true;
  sender->publish(made("a", "4"), urgency::bulk);
  context.run();
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
  std::vector<connection> workers;
  std::vector<std::shared_ptr<kept_envelopes>> got;
  std::vector<std::unique_ptr<msgbus::transport::feed>> feeds;
  for (int i = 0; i < 3; ++i) {
    workers.push_back(broker.connect(context.get_executor()));
    got.push_back(std::make_shared<kept_envelopes>());
    feeds.push_back(workers.back()->subscribe("jobs", "workers", got.back()));
  }
  for (int i = 0; i < 9; ++i) sender->publish(made("jobs"), urgency::bulk);
  context.run();
  for (const auto& each : got) CHECK(each->payloads().size() == 3);
  feeds[0]->stop();
  for (int i = 0; i < 4; ++i) sender->publish(made("jobs"), urgency::bulk);
  context.run();
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

TEST_CASE("memory: a delivery is in progress while it exists, and then ack_wait begins") {
  shop in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  in.store("1");
  source->ask(2);
  in.context.run();
  REQUIRE(got->size() == 1);
  CHECK(got->at(0).times == 1);
  in.clock.run_for(in.context, 90s);
  CHECK(got->size() == 1);  // it is in progress
  got->clear();
  in.clock.run_for(in.context, 29s);
  CHECK(got->size() == 0);
  in.clock.run_for(in.context, 1s);
  REQUIRE(got->size() == 1);
  CHECK(got->at(0).times == 2);
  CHECK(got->at(0).message.headers.find(msgbus::header::message_id)->second == "id-1");
  CHECK(got->at(0).ack());
  in.clock.run_for(in.context, 60s);
  CHECK(got->size() == 1);
  CHECK(in.clock.waiting() == 0);
}

TEST_CASE("memory: a nak redelivers after its delay, and a term never") {
  shop in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
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
  shop in;
  const auto first = std::make_shared<kept_deliveries>();
  const auto second = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, first);
  const auto other = in.broker.connect(in.context.get_executor());
  const auto next = in.pull(other, second);
  in.store("1");
  in.store("2");
  source->ask(2);
  in.context.run();
  REQUIRE(first->size() == 2);
  CHECK(first->at(0).ack());
  next->ask(5);
  in.context.run();
  CHECK(second->size() == 0);
  in.back->close();
  CHECK_FALSE(first->at(1).ack());
  in.context.run();
  CHECK(second->payloads() == texts{"2"});
  CHECK(second->at(0).times == 2);
  REQUIRE(first->why());
  CHECK_THAT(msgbus::describe(first->why()), msgbus_test::contains("ORDERS"));
}

TEST_CASE("memory: a stopped source returns its pending deliveries") {
  shop in;
  const auto first = std::make_shared<kept_deliveries>();
  const auto second = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, first);
  const auto next = in.pull(in.front, second);
  in.store("1");
  in.store("2");
  source->ask(1);
  in.context.run();
  source->ask(1);  // and the second is on its way
  source->stop();
  CHECK(first.use_count() == 1);
  next->ask(5);
  in.context.run();
  CHECK(first->payloads() == texts{"1"});
  CHECK(second->payloads() == texts{"2"});
  CHECK(second->at(0).times == 1);
  CHECK(first->at(0).ack());  // what was given may still be settled
  in.clock.run_for(in.context, 29s);
  CHECK(second->size() == 1);
}

TEST_CASE("memory: the end of a context closes its connections", "[A12]") {
  memory_broker broker;
  stepping_context here;
  const auto mine = broker.connect(here.get_executor());
  here.run(mine->ensure_stream(orders()));
  std::optional<stepping_context> there(std::in_place);
  const auto theirs = broker.connect(there->get_executor());
  const auto lost = std::make_shared<kept_deliveries>();
  const auto heard = std::make_shared<kept_envelopes>();
  const auto source = there->run(theirs->pull(billing(), lost));
  const auto feed = theirs->subscribe("orders.*", "", heard);
  source->ask(5);
  (void)here.run(mine->store(made("orders.placed", "1", "id-1"), 1s));
  there->run_until([&] { return lost->size() == 1; });
  (void)here.run(mine->store(made("orders.placed", "2", "id-2"), 1s));
  there.reset();

  CHECK(heard.use_count() == 1);
  CHECK(lost.use_count() == 1);
  CHECK_FALSE(lost->at(0).ack());
  CHECK_THROWS_AS(theirs->publish(made("a"), urgency::bulk), msgbus::error);
  const auto got = std::make_shared<kept_deliveries>();
  const auto next = here.run(mine->pull(billing(), got));
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
  const auto no_stream =
      error_of([&] { (void)context.run(mine->store(made("lost.one", "", "id"), 1s)); });
  CHECK(no_stream.code() == errc::transport_failed);
  CHECK_THAT(no_stream.what(), msgbus_test::contains("lost.one"));
  const auto no_id = error_of([&] { (void)context.run(mine->store(made("a"), 1s)); });
  CHECK_THAT(no_id.what(), msgbus_test::contains("Nats-Msg-Id"));
  const auto missing = error_of(
      [&] { (void)context.run(mine->pull(billing(), std::make_shared<kept_deliveries>())); });
  CHECK_THAT(missing.what(), msgbus_test::contains("ORDERS"));

  context.run(mine->ensure_stream(orders()));
  auto overlapping = orders();
  overlapping.name = "PAID";
  overlapping.topics = {"*.paid"};
  const auto overlaps = error_of([&] { context.run(mine->ensure_stream(overlapping)); });
  CHECK_THAT(overlaps.what(), msgbus_test::contains("ORDERS"));
  auto elsewhere = billing();
  elsewhere.filter = "bills.>";
  const auto no_match = error_of(
      [&] { (void)context.run(mine->pull(elsewhere, std::make_shared<kept_deliveries>())); });
  CHECK_THAT(no_match.what(), msgbus_test::contains("bills.>"));

  mine->close();
  const auto closed = error_of([&] { mine->publish(made("a"), urgency::bulk); });
  CHECK(closed.code() == errc::closed);
  CHECK_THAT(closed.what(), msgbus_test::contains("'orders'"));
}

TEST_CASE("memory: a durable keeps its filter, and gets a new ack_wait") {
  shop in;
  const auto got = std::make_shared<kept_deliveries>();
  const auto source = in.pull(in.back, got);
  auto other = billing();
  other.filter = "orders.paid";
  CHECK_THROWS_AS(in.context.run(in.back->pull(other, got)), msgbus::error);
  auto shorter = billing();
  shorter.ack_wait = 5s;
  const auto again = in.context.run(in.back->pull(shorter, got));
  in.store("1");
  source->ask(2);
  in.context.run();
  got->clear();
  in.clock.run_for(in.context, 5s);
  CHECK(got->size() == 1);
}

namespace {

asio::awaitable<void> place_two(connection at) {
  auto stream = orders();
  co_await at->ensure_stream(stream);
  for (const char* const each : {"1", "2"}) {
    auto what = made("orders.placed", each, each);
    (void)co_await at->store(what, 1s);
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
  auto which = billing();
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

}  // namespace memory_test
