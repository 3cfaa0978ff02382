// Dead letters that are taken for others, shortened, or refused.

#include <msgbus/bridge/bridge.hpp>

#include "support/durable_failures_fixture.hpp"

namespace durable_dead_letters_test {

using namespace durable_failures_test;
using msgbus_test::shop;

TEST_CASE("each durable and each stream has a dead letter of its own, also of the same message id",
          "[B2]") {
  shop all;
  all.make_stream("RETURNS", "returns.>");
  dead_letter_stream dead(all);
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

TEST_CASE("a dead letter that the stream takes for a duplicate is reported", "[B2]") {
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

TEST_CASE("a dead letter that is refused whole is stored shortened, counted and reported",
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
  dead_letter_stream dead(all);
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

TEST_CASE("a message whose dead letter cannot be stored at all is given up, and reported", "[B2]") {
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
  dead_letter_stream dead(all);
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

}  // namespace durable_dead_letters_test
