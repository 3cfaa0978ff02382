// What uses up a message's tries and what does not, and what is stored of those that are given up.

#include <msgbus/bridge/bridge.hpp>
#include <msgbus/detail/bridge/dead_letter.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/refusing.hpp"
#include "support/shop.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace durable_failures_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::durable_options;
using msgbus::errc;
using msgbus::async::subscriber;
using msgbus_test::adds_up;
using msgbus_test::billing;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::shop;
using namespace std::chrono_literals;

namespace {

// Its failures are printed nowhere.
struct quiet_subscriber : subscriber {
  explicit quiet_subscriber(shop& all, msgbus::mailbox_options mail = {})
      : subscriber(all.executor(), mail) {
    observe(std::make_shared<msgbus::observer>());
  }
};

// The stream of the dead letters, as it is.
struct morgue {
  explicit morgue(shop& all, std::string stream = "DEAD")
      : wire(all.broker.connect(all.executor())), to(std::make_shared<sink>()) {
    msgbus::transport::pull_options which;
    which.stream = std::move(stream);
    which.durable = "mourners";
    source = all.clock.run(all.steps, wire->pull(which, to));
    source->ask(1000);
  }
  struct sink final : msgbus::transport::delivery_sink {
    void take(std::unique_ptr<msgbus::transport::delivery> received) noexcept override {
      received->ack();
      letters.push_back(std::move(received->message));
    }
    void ended(std::exception_ptr) noexcept override {}
    std::vector<msgbus::envelope> letters;
  };
  [[nodiscard]] const std::vector<msgbus::envelope>& letters() const { return to->letters; }
  [[nodiscard]] std::string header(std::size_t index, std::string_view name) const {
    const auto& all = letters().at(index).headers;
    const auto found = all.find(name);
    return found == all.end() ? std::string("none") : std::string(found->second);
  }

  std::shared_ptr<msgbus::transport::transport> wire;
  std::shared_ptr<sink> to;
  std::unique_ptr<msgbus::transport::source> source;
};

constexpr auto reason = msgbus::header::dead_reason;

}  // namespace

TEST_CASE("a message that waits behind a slow one when its process ends has used up nothing",
          "[B2][B3][B8]") {
  shop all;
  durable_options how = billing();
  how.max_deliver = 1;
  std::vector<int> handled;
  for (int i = 0; i < 100; ++i) all.store(i);
  for (int restart = 0; restart < 3; ++restart) {
    bridge process = all.connect("process");
    subscriber to(all.executor());
    msgbus_test::gate gate;
    to.subscribe("orders.*", [&](int number) -> awaitable<void> {
      co_await gate.wait();
      handled.push_back(number);
    });
    bridge_link in = all.clock.run(all.steps, process.durable<int>(to, "orders.>", how));
    all.steps.run();
    CHECK(in.stats().in_flight == 100 - handled.size());
    auto draining = all.steps.spawn(to.drain(1s));
    all.live(2s);  // longer than the deadline: all are handed back
    CHECK(draining.done());
    all.clock.run(all.steps, process.drain(1s));
    gate.open();
    all.steps.run();
    CHECK(in.stats().dead_lettered == 0);
    CHECK(adds_up(in.stats()));
  }
  CHECK(handled.empty());
  subscriber quick(all.executor());
  std::vector<unsigned> attempts;
  quick.subscribe("orders.*", [&](int number) { handled.push_back(number); });
  bridge_link in = all.join(quick, how);
  all.live();
  std::ranges::sort(handled);
  CHECK(handled.size() == 100);
  CHECK(std::ranges::adjacent_find(handled) == handled.end());
  CHECK(in.stats().dead_lettered == 0);
  CHECK(all.told.all.empty());
}

TEST_CASE(
    "a message that a full mailbox drops is tried when there is room, however often it was "
    "dropped",
    "[B2][B3]") {
  shop all;
  subscriber to(all.executor(), {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  msgbus_test::gate gate;
  std::vector<int> handled;
  std::vector<unsigned> attempts;
  to.subscribe("orders.*", [&](int number, const context& about) -> awaitable<void> {
    co_await gate.wait();
    handled.push_back(number);
    attempts.push_back(about.attempt());
  });
  durable_options how = billing();
  how.max_in_flight = 8;
  how.max_backoff = 200ms;
  SECTION("with pauses") {}
  SECTION("without pauses, and without spinning") {
    how.backoff = 0ms;
    how.max_backoff = 0ms;
  }
  bridge_link in = all.join(to, how);
  for (int i = 0; i < 3; ++i) all.store(i);
  all.live(10s);
  CHECK(in.stats().naks > how.max_deliver);
  CHECK(in.stats().dead_lettered == 0);
  gate.open();
  all.live();
  std::ranges::sort(handled);
  CHECK(handled == std::vector<int>{0, 1, 2});
  CHECK(attempts == std::vector<unsigned>{1, 1, 1});
  CHECK(in.stats().acks == 3);
  CHECK(adds_up(in.stats()));
}

TEST_CASE("only failures count, also among deliveries that were dropped", "[B3]") {
  shop all;
  quiet_subscriber to(all, {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  std::vector<unsigned> attempts;
  msgbus_test::gate busy;
  to.subscribe("orders.placed", [&](int number, const context& about) -> awaitable<void> {
    if (number == 13) {
      attempts.push_back(about.attempt());
      throw std::runtime_error("poison");
    }
    co_await busy.wait();
  });
  durable_options how = billing();
  how.max_in_flight = 8;
  bridge_link in = all.join(to, how);
  morgue dead(all);
  all.store(13);
  all.live(50ms);  // it has failed once
  // Now it is dropped again and again.
  all.store(1);
  all.store(2);
  all.live(10s);
  CHECK(attempts == std::vector<unsigned>{1});
  CHECK(in.stats().naks > 4);
  busy.open();
  all.live(60s);
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, msgbus::header::attempt) == "3");
  CHECK(adds_up(in.stats()));
}

TEST_CASE(
    "a message that was in hand when processes died comes again for ever, unless a limit is "
    "set",
    "[B2]") {
  shop all;
  durable_options how = billing();
  const bool limited = GENERATE(false, true);
  how.crash_limit = limited ? 3 : 0;
  morgue dead(all);
  int begun = 0;
  for (int process = 0; process < 5; ++process) {
    bridge fragile = all.connect("fragile");
    subscriber to(all.executor());
    msgbus_test::gate never;
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      ++begun;
      co_await never.wait();
    });
    bridge_link in = all.clock.run(all.steps, fragile.durable<int>(to, "orders.>", how));
    if (process == 0) all.store(13);
    all.live(1s);
    all.broker.cut(*fragile.transport());  // as if the process had died
    all.live(31s);
    never.open();
    all.steps.run();
    fragile.close();
    all.broker.restore();
  }
  CHECK(begun == (limited ? 3 : 5));
  REQUIRE(dead.letters().size() == (limited ? 1u : 0u));
  if (limited) {
    CHECK_THAT(dead.header(0, reason), contains("delivered 3 times without being settled"));
  }
}

TEST_CASE(
    "a dead letter that can be stored only later has the reason of the failure, and the "
    "message is not handled again",
    "[B2][B3]") {
  shop all;
  quiet_subscriber to(all);
  int attempts = 0;
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::runtime_error("poison");
  });
  durable_options how = billing();
  how.dead_letter = "late.orders";
  how.max_backoff = 1s;
  bridge_link in = all.join(to, how);
  all.store(13);
  all.live(20s);
  CHECK(attempts == 3);
  CHECK(in.stats().dead_lettered == 0);
  CHECK(in.stats().naks > 10);
  CHECK(all.told.all.size() > 5);  // each time
  CHECK(adds_up(in.stats()));
  all.make_stream("LATE", "late.>");
  morgue dead(all, "LATE");
  all.live(5s);
  CHECK(attempts == 3);
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, reason) == "poison");
  CHECK(dead.header(0, msgbus::header::attempt) == "3");
  CHECK(in.stats().dead_lettered == 1);
  CHECK(adds_up(in.stats()));
  const auto received = in.stats().received;
  all.live(100s);
  CHECK(in.stats().received == received);
}

TEST_CASE("a message without a pause before its dead letter is tried again does not spin", "[B2]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::runtime_error("poison"); });
  durable_options how = billing();
  how.dead_letter = "no.stream.keeps.this";
  how.backoff = 0ms;
  how.max_backoff = 0ms;
  bridge_link in = all.join(to, how);
  all.store(13);
  all.live(1s);
  CHECK(in.stats().naks > 3);
  CHECK(in.stats().naks < 200);
}

TEST_CASE("an exception without text is not 'no handler'", "[B3]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::domain_error(""); });
  bridge_link in = all.join(to);
  morgue dead(all);
  all.store(13);
  all.live();
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, reason) == "an exception without text (std::domain_error)");
}

TEST_CASE("each durable and each stream has a dead letter of its own, also of the same message id",
          "[B2]") {
  shop all;
  all.make_stream("RETURNS", "returns.>");
  morgue dead(all);
  std::vector<std::unique_ptr<subscriber>> failing;
  const auto join = [&](std::string stream, std::string durable, std::string_view pattern) {
    failing.push_back(std::make_unique<quiet_subscriber>(all));
    failing.back()->subscribe(">", [](int) { throw std::runtime_error("poison"); });
    durable_options how = billing();
    how.stream = std::move(stream);
    how.durable = std::move(durable);
    (void)all.clock.run(all.steps,
                        all.handles.durable<int>(*failing.back(), std::string(pattern), how));
  };
  join("ORDERS", "billing", "orders.>");
  join("ORDERS", "shipping", "orders.>");
  join("RETURNS", "billing", "returns.>");
  all.store(13, "same");
  msgbus::store_options same;
  same.message_id = "same";
  (void)all.clock.run(all.steps, all.stores.store(13, "returns.sent", same));
  all.live();
  std::vector<std::string> from;
  for (std::size_t i = 0; i < dead.letters().size(); ++i) {
    from.push_back(dead.header(i, msgbus::header::dead_stream) + ' ' +
                   dead.header(i, msgbus::header::dead_durable));
    CHECK(dead.header(i, msgbus::header::causation_id) == "same");
  }
  std::ranges::sort(from);
  CHECK(from == std::vector<std::string>{"ORDERS billing", "ORDERS shipping", "RETURNS billing"});
  CHECK(all.told.all.empty());
}

TEST_CASE("a dead letter that is taken for another one that is there is told", "[B2]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::runtime_error("poison"); });
  bridge_link in = all.join(to);
  msgbus::envelope there;
  there.payload = "13";
  const msgbus::bridging::given_up of{.stream = "ORDERS",
                                      .durable = "billing",
                                      .sequence = 1,
                                      .id = "id-13",
                                      .attempts = 1,
                                      .reason = "another one"};
  there = msgbus::bridging::dead_letter(there, of, msgbus::bridging::extent::whole);
  there.topic = "dead.orders";
  (void)all.clock.run(all.steps, all.stores.transport()->store(there, 1s));
  all.store(13, "id-13");
  all.live();
  CHECK(in.stats().dead_lettered == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("orders.placed") && contains("already has a dead letter") &&
                                  contains("poison") && contains("'DEAD', sequence 1"));
}

TEST_CASE("a dead letter that is refused whole is stored shortened, which is counted and told",
          "[B2][B5]") {
  shop all;
  const auto refusing =
      std::make_shared<msgbus_test::refusing_transport>(all.broker.connect(all.executor()));
  bridge handles(refusing, all.told.to_here());
  quiet_subscriber to(all);
  const std::string long_reason(900, 'x');
  to.subscribe("orders.*", [&](const std::string&) { throw std::runtime_error(long_reason); });
  durable_options how = billing();
  how.max_deliver = 1;
  how.max_backoff = 1s;
  bridge_link in = all.clock.run(all.steps, handles.durable<std::string>(to, "orders.>", how));
  msgbus::store_options with;
  with.headers.add("A-Tenant", std::string(500, 't'));
  const std::string payload(1000, 'p');
  const auto store = [&] {
    (void)all.clock.run(all.steps, all.stores.store(payload, "orders.placed", with));
  };
  morgue dead(all);
  SECTION("its reason is cut") {
    refusing->largest = 2500;
    store();
    all.live(30s);
    REQUIRE(dead.letters().size() == 1);
    CHECK(dead.header(0, reason) == std::string(100, 'x'));
    CHECK(dead.header(0, "A-Tenant") == with.headers.at("A-Tenant"));
    CHECK(dead.letters()[0].payload.size() == 1002);
  }
  SECTION("then headers that came with it are left out") {
    refusing->largest = 1700;
    store();
    all.live(30s);
    REQUIRE(dead.letters().size() == 1);
    CHECK(dead.header(0, "A-Tenant") == "none");
    CHECK(dead.letters()[0].payload.size() == 1002);
  }
  SECTION("so also where it is a header that cannot be carried") {
    refusing->refused_header = "A-Tenant";
    store();
    all.live(30s);
    REQUIRE(dead.letters().size() == 1);
    CHECK(dead.header(0, "A-Tenant") == "none");
    CHECK(dead.letters()[0].payload.size() == 1002);
  }
  SECTION("then the payload, and a header says how long it was") {
    refusing->largest = 800;
    store();
    all.live(30s);
    REQUIRE(dead.letters().size() == 1);
    CHECK(dead.letters()[0].payload.empty());
    CHECK(dead.header(0, msgbus::header::dead_size) == "1002");
    CHECK(dead.header(0, msgbus::header::dead_stream) == "ORDERS");
    CHECK(dead.header(0, msgbus::header::dead_sequence) == "1");
  }
  CHECK(in.stats().dead_lettered == 1);
  CHECK(in.stats().shortened == 1);
  CHECK(adds_up(in.stats()));
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("shortened dead letter") && contains("refused"));
}

TEST_CASE("a message of which no dead letter can be stored at all is given up, and told", "[B2]") {
  shop all;
  const auto refusing =
      std::make_shared<msgbus_test::refusing_transport>(all.broker.connect(all.executor()));
  refusing->largest = 10;
  bridge handles(refusing, all.told.to_here());
  quiet_subscriber to(all);
  int attempts = 0;
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::runtime_error("poison");
  });
  bridge_link in = all.clock.run(all.steps, handles.durable<int>(to, "orders.>", billing()));
  all.store(13);
  all.live(300s);
  CHECK(attempts == 3);
  CHECK(in.stats().dead_lettered == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("given up") && contains("poison") &&
                                  contains("its dead letter cannot be stored"));
}

TEST_CASE("a dead letter that cannot be stored for now is not shortened", "[B2]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::runtime_error("poison"); });
  durable_options how = billing();
  how.max_backoff = 1s;
  const auto refusing =
      std::make_shared<msgbus_test::refusing_transport>(all.broker.connect(all.executor()));
  refusing->fails_for_now = true;
  bridge handles(refusing, all.told.to_here());
  bridge_link in = all.clock.run(all.steps, handles.durable<int>(to, "orders.>", how));
  morgue dead(all);
  all.store(13);
  all.live(10s);
  CHECK(in.stats().dead_lettered == 0);
  refusing->fails_for_now = false;
  all.live(10s);
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.letters()[0].payload == "13");
  CHECK(in.stats().shortened == 0);
}

TEST_CASE("a topic of dead letters that cannot be one is refused where the link is made") {
  shop all;
  subscriber to(all.executor());
  durable_options how = billing();
  how.dead_letter = "dead..orders";
  CHECK(code_of([&] { (void)all.join(to, how); }) == errc::invalid_topic);
}

}  // namespace durable_failures_test
