#include <msgbus/bridge/bridge.hpp>

#include "support/bridge_fixture.hpp"

namespace bridge_test {

TEST_CASE("a published message runs the handlers of another process, which need no change",
          "[B1]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher orders;
  subscriber others(all.executor());
  std::vector<std::string> got;
  others.subscribe("orders.*", [&](const order& what, const context& about) {
    got.push_back(std::string(about.topic()) + " " + std::to_string(what.id) + " " + what.item);
  });
  auto in = there.inbound<order>(others, "orders.>");
  auto out = here.outbound<order>(orders, "orders.>");
  order tea{1, "tea"};
  CHECK(all.steps.run(orders.publish(tea, "orders.placed")) == 1);
  CHECK(all.steps.run(orders.send(tea, "orders.paid")).admitted == 1);
  CHECK(orders.post(tea, "orders.sent").admitted == 1);
  all.steps.run();
  CHECK(got ==
        std::vector<std::string>{"orders.placed 1 tea", "orders.paid 1 tea", "orders.sent 1 tea"});
  CHECK(out.stats().sent == 3);
  CHECK(in.stats().received == 3);
  CHECK(in.stats().admitted == 3);
  CHECK(others.stats().handled == 3);
  CHECK(all.told.all.empty());
}

TEST_CASE("events find the handlers of their type by name") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  producer orders;
  consumer others(all.executor());
  int orders_seen = 0;
  int refunds_seen = 0;
  others.handler([&](const created<order>& what) { orders_seen += what.entity.id; });
  others.handler([&](const created<refund>& what) { refunds_seen += what.entity.id; });
  there.inbound<created<order>, created<refund>>(others);
  here.outbound<created<order>, created<refund>>(orders);
  created<order> one{{3, "tea"}};
  created<refund> two{{4}};
  CHECK(all.steps.run(orders.dispatch(one)) == 1);
  CHECK(all.steps.run(orders.dispatch(two)) == 1);
  all.steps.run();
  CHECK(orders_seen == 3);
  CHECK(refunds_seen == 4);
}

TEST_CASE("several types share a topic, and each message is read as its own type") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor());
  std::string got;
  to.subscribe("shop", [&](const order& what) { got += "order " + what.item + ";"; });
  to.subscribe("shop",
               [&](const refund& what) { got += "refund " + std::to_string(what.id) + ";"; });
  there.inbound<order, refund>(to, "shop");
  here.outbound<order, refund>(from, "shop", {.encoding = msgbus::encoding::cbor});
  (void)from.post(refund{7}, "shop");
  (void)from.post(order{8, "tea"}, "shop");
  all.steps.run();
  CHECK(got == "refund 7;order tea;");
}

namespace {

/// The types of what goes to the topics of `x.>` on the wire, in order.
struct wire_tap {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to{all.executor()};
  std::vector<std::string> types;

  wire_tap() {
    to.subscribe<int, double>("x.>", [this](const auto&, const context& about) {
      types.push_back(about.headers().find("Msgbus-Type")->second);
    });
    there.inbound<int, double>(to, "x.>");
  }
};

}  // namespace

TEST_CASE("a message that converts to another type of the link is sent once, as its own type",
          "[B1][T5][T8]") {
  wire_tap wire;
  std::vector<std::string> expected;
  const auto publish = [&](auto message, const char* type) {
    CHECK(wire.all.steps.run(wire.from.publish(message, "x.a")) == 1);
    wire.all.steps.run();
    expected.emplace_back(type);
    CHECK(wire.types == expected);
  };
  SECTION("the exact type is named first") { wire.here.outbound<int, double>(wire.from, "x.>"); }
  SECTION("the exact type is named last") { wire.here.outbound<double, int>(wire.from, "x.>"); }
  SECTION("a type is named twice") { wire.here.outbound<int, double, int>(wire.from, "x.>"); }
  publish(5, "int");
  publish(2.5, "double");
  publish(std::variant<int, double>(5), "int");
  publish(std::variant<int, double>(2.5), "double");
  CHECK(wire.to.stats().handled == 4);
}

TEST_CASE("a message of no type of the link is sent once, as the first that it converts to",
          "[B1][T5][T8]") {
  wire_tap wire;
  auto out = wire.here.outbound<double, int>(wire.from, "x.>");
  CHECK(wire.all.steps.run(wire.from.publish(short{5}, "x.a")) == 1);
  CHECK(wire.all.steps.run(wire.from.publish(2.5F, "x.a")) == 1);
  wire.all.steps.run();
  CHECK(wire.types == std::vector<std::string>{"double", "double"});
  CHECK(out.stats().sent == 2);
}

TEST_CASE("of several members of a queue group one gets each message") {
  neighbourhood all;
  bridge here = all.connect();
  bridge one = all.connect();
  bridge two = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  const msgbus::inbound_options group{.queue_group = "billing"};
  auto first = one.inbound<int>(to, "a", group);
  auto second = two.inbound<int>(to, "a", group);
  here.outbound<int>(from, "a");
  for (int i = 0; i < 10; ++i) (void)from.post(i, "a");
  all.steps.run();
  CHECK(seen == 10);
  CHECK(first.stats().received + second.stats().received == 10);
  CHECK(first.stats().received > 0);
  CHECK(second.stats().received > 0);
}

TEST_CASE("a process does not get its own messages", "[B1]") {
  neighbourhood all;
  bridge here = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  from.bind(to);
  here.outbound<int>(from, "a");
  auto in = here.inbound<int>(to, "a");
  (void)from.post(1, "a");
  all.steps.run();
  CHECK(seen == 1);
  CHECK(in.stats().received == 0);
}

TEST_CASE("the chain of messages goes on across processes", "[B7]") {
  neighbourhood all;
  bridge front = all.connect();
  bridge middle = all.connect();
  bridge back = all.connect();
  publisher start;
  publisher go_on;
  subscriber in_the_middle(all.executor());
  subscriber at_the_end(all.executor());
  std::string first_id;
  std::string chain;
  std::string cause;
  in_the_middle.subscribe("a", [&](int n, const context& about) -> awaitable<void> {
    first_id = about.message_id();
    CHECK(about.correlation_id() == first_id);
    co_await hop(2);
    (void)co_await go_on.publish(n + 1, "b");
  });
  at_the_end.subscribe("b", [&](int n, const context& about) {
    CHECK(n == 2);
    chain = about.correlation_id();
    cause = about.causation_id();
    CHECK(about.message_id() != first_id);
    CHECK(about.headers().find("Msgbus-Type")->second == "int");
  });
  middle.inbound<int>(in_the_middle, "a");
  middle.outbound<int>(go_on, "b");
  back.inbound<int>(at_the_end, "b");
  front.outbound<int>(start, "a");
  (void)start.post(1, "a");
  all.steps.run();
  CHECK_FALSE(first_id.empty());
  CHECK(chain == first_id);
  CHECK(cause == first_id);
}

}  // namespace bridge_test
