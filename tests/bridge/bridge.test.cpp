#include <msgbus/bridge/bridge.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using asio::awaitable;
using msgbus::bridge;
using msgbus::context;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::subscriber;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::neighbourhood;
using namespace std::chrono_literals;

namespace shop {
struct order {
  int id = 0;
  std::string item;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id, item)
struct refund {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(refund, id)
template <class T>
struct created {
  T entity;
};
template <class T>
void to_json(nlohmann::json& json, const created<T>& event) {
  json = event.entity;
}
template <class T>
void from_json(const nlohmann::json& json, created<T>& event) {
  event.entity = json.get<T>();
}
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace shop

namespace dotted {
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace dotted

namespace other {
struct paid {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(paid, id)
}  // namespace other

template <>
inline constexpr std::string_view msgbus::name_of<dotted::paid> = "shop.paid";
template <>
inline constexpr std::string_view msgbus::name_of<other::paid> = "shop::paid";

namespace bridge_test {

using shop::created;
using shop::order;
using shop::refund;

TEST_CASE("what is published here runs the handlers there, which know nothing of it", "[B1]") {
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

TEST_CASE("several types share a topic, and each is read as what it is") {
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

TEST_CASE("a message that converts to another type of the link is sent once, as what it is",
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

TEST_CASE("an event whose type is named twice is sent once and handled once", "[B1][T2]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  producer from;
  consumer to(all.executor());
  int seen = 0;
  to.handler([&](const order&) { ++seen; });
  auto in = there.inbound<order, refund, order>(to);
  auto out = here.outbound<order, order>(from);
  order tea{1, "tea"};
  CHECK(all.steps.run(from.dispatch(tea)) == 1);
  all.steps.run();
  CHECK(seen == 1);
  CHECK(out.stats().sent == 1);
  CHECK(in.stats().received == 1);
}

TEST_CASE("two types of event with one topic are refused where the link is made", "[B1]") {
  neighbourhood all;
  bridge here = all.connect();
  producer from;
  consumer to(all.executor());
  const auto is_refused = [](auto&& make) {
    CHECK(code_of(make) == errc::bad_arguments);
    CHECK_THAT(msgbus_test::text_of(make), contains("'shop::paid'") && contains("'shop.paid'") &&
                                               contains("'events.shop.paid'"));
  };
  is_refused([&] { (void)here.outbound<shop::paid, dotted::paid>(from); });
  is_refused([&] { (void)here.inbound<shop::paid, dotted::paid>(to); });
  CHECK(here.links().empty());
  auto first = here.inbound<shop::paid>(to);
  is_refused([&] { (void)here.inbound<dotted::paid>(to); });
  is_refused([&] { (void)here.outbound<dotted::paid>(from); });
  is_refused([&] {
    (void)all.steps.run(here.durable<dotted::paid>(to, {.stream = "events", .durable = "d"}));
  });
  CHECK(here.links().size() == 1);
  here.inbound<dotted::paid>(to, {.prefix = "other"});
  first.cancel();
  here.inbound<dotted::paid>(to);
  CHECK(here.links().size() == 2);
}

TEST_CASE("an event is handled once where another type had nearly the same name", "[B1]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  producer from;
  consumer to(all.executor());
  int seen = 0;
  to.handler<shop::paid, dotted::paid>([&](const auto&) { ++seen; });
  auto in = there.inbound<shop::paid>(to);
  there.inbound<dotted::paid>(to, {.prefix = "other"});
  here.outbound<shop::paid>(from);
  shop::paid one{1};
  CHECK(all.steps.run(from.dispatch(one)) == 1);
  all.steps.run();
  CHECK(seen == 1);
  CHECK(in.stats().received == 1);
}

TEST_CASE("two types with one name cannot be read on the same link") {
  neighbourhood all;
  bridge here = all.connect();
  subscriber to(all.executor());
  const auto make = [&] { (void)here.inbound<shop::paid, other::paid>(to, "a"); };
  CHECK(code_of(make) == errc::bad_arguments);
  CHECK_THAT(msgbus_test::text_of(make), contains("'shop::paid'"));
  CHECK(here.links().empty());
  here.inbound<shop::paid>(to, "a");
  here.inbound<other::paid>(to, "b");
  CHECK(here.links().size() == 2);
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

TEST_CASE("a process does not get what it has sent itself", "[B1]") {
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

TEST_CASE("what cannot be decoded is counted and told, and the next one is handled", "[B5]") {
  neighbourhood all;
  bridge there = all.connect("there");
  const auto wire = all.broker.connect(all.executor());
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](const order&) { ++seen; });
  auto in = there.inbound<order>(to, "a");
  const auto send = [&](std::string payload, msgbus::headers headers) {
    wire->publish({.topic = "a", .headers = std::move(headers), .payload = std::move(payload)},
                  msgbus::transport::urgency::bulk);
  };
  send("{]", {});
  send(R"({"id":1,"item":"tea"})", {{"Msgbus-Type", "shop::refund"}});
  send(R"({"id":1,"item":"tea"})", {{"Content-Type", "image/png"}});
  send(R"({"id":1,"item":"tea"})", {});
  send(R"({"id":1,"item":"tea"})", {{"Msgbus-Type", "shop::order"}});
  all.steps.run();
  CHECK(seen == 2);
  CHECK(in.stats().received == 5);
  CHECK(in.stats().undecodable == 3);
  CHECK(in.stats().admitted == 2);
  REQUIRE(all.told.all.size() == 3);
  CHECK_THAT(all.told.all[0], contains("inbound a: a message on 'a'"));
  CHECK_THAT(all.told.all[1],
             contains("'shop::refund'; types that this link accepts: shop::order"));
  CHECK_THAT(all.told.all[2], contains("image/png"));
}

TEST_CASE("without a type's name a message can only be read where one type is taken") {
  neighbourhood all;
  bridge there = all.connect();
  const auto wire = all.broker.connect(all.executor());
  subscriber to(all.executor());
  to.subscribe("a", [](const order&) {});
  to.subscribe("a", [](const refund&) {});
  auto in = there.inbound<order, refund>(to, "a");
  wire->publish({.topic = "a", .payload = R"({"id":1})"}, msgbus::transport::urgency::bulk);
  all.steps.run();
  CHECK(in.stats().undecodable == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("has no type header; types that this link accepts: "
                                       "shop::order, shop::refund"));
}

TEST_CASE("a message that cannot become bytes leaves publish as an error, and is counted") {
  neighbourhood all;
  bridge here = all.connect();
  publisher from;
  auto out = here.outbound<std::string>(from, "a");
  std::string no_text("\xff");
  CHECK(code_of([&] { (void)all.steps.run(from.publish(no_text, "a")); }) == errc::encode_failed);
  CHECK(out.stats().unsent == 1);
  CHECK(out.stats().sent == 0);
}

TEST_CASE("a number that the encoding does not have is refused where it is sent", "[B6]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  auto out = here.outbound<double>(from, "a");
  const auto publish = [&] { (void)all.steps.run(from.publish(std::nan(""), "a")); };
  CHECK(code_of(publish) == errc::encode_failed);
  CHECK(out.stats().unsent == 1);
  msgbus::async::service math(all.executor());
  auto root = math.handler("root", [](double of) { return std::sqrt(of); });
  there.serve("math", root);
  const msgbus::remote_service remote(here, "math");
  const auto call = [&] { (void)all.steps.run(remote.execute<double>("root", -1.0)); };
  CHECK(code_of(call) == errc::remote_failed);
  CHECK_THAT(msgbus_test::text_of(call), contains("not a finite number"));
}

TEST_CASE("an operation that fails without a text is counted as an error", "[B5][B6]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  msgbus::async::service users(all.executor());
  std::string text;
  auto remove = users.handler("remove", [&] { throw std::out_of_range(text); });
  auto link = there.serve("users", remove);
  const msgbus::remote_service remote(here, "users");
  for (const char* const each : {"", " ", "\n", "an ordinary text"}) {
    text = each;
    const auto call = [&] { all.steps.run(remote.execute("remove")); };
    CHECK(msgbus_test::caught<msgbus::remote_error>(call).kind() == "std::out_of_range");
  }
  CHECK(link.stats().errors == 4);
  CHECK(link.stats().answered == 4);
}

TEST_CASE("a slow subscriber holds what comes in back, within bounds", "[B1][B5]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor(), {.capacity = 2});
  msgbus_test::gate gate;
  int seen = 0;
  to.subscribe("a", [&](int) -> awaitable<void> {
    co_await gate.wait();
    ++seen;
  });
  auto in = there.inbound<int>(to, "a", {.buffer = 4});
  here.outbound<int>(from, "a");
  for (int i = 0; i < 40; ++i) {
    (void)from.post(i, "a");
    all.steps.run();
  }
  CHECK(to.waiting() == 2);
  CHECK(in.stats().dropped > 0);
  const auto received = in.stats().received;
  CHECK(received <= 1 + 2 + 1 + 4);
  gate.open();
  all.steps.run();
  CHECK(in.stats().received + in.stats().dropped == 40);
  CHECK(in.stats().admitted == in.stats().received);
  CHECK(seen == static_cast<int>(in.stats().admitted));
}

TEST_CASE("a message that finds room does not overtake those that wait for it", "[A4][B1]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    msgbus::testing::stepping_context steps(msgbus::testing::shuffled{seed});
    msgbus::memory_broker broker;
    bridge here(broker.connect(steps.get_executor()));
    bridge there(broker.connect(steps.get_executor()));
    publisher from;
    subscriber to(steps.get_executor(), {.capacity = 2});
    std::vector<int> seen;
    to.subscribe("a", [&](int number) -> awaitable<void> {
      co_await asio::post(asio::use_awaitable);
      seen.push_back(number);
    });
    auto in = there.inbound<int>(to, "a");
    here.outbound<int>(from, "a");
    std::uint64_t most_waiting = 0;
    int sent = 0;
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < round % 7; ++i) (void)from.post(sent++, "a");
      for (int step = 0; step < 40 && steps.step(); ++step) {
        most_waiting = std::max(most_waiting, in.stats().waiting);
      }
    }
    steps.run();
    REQUIRE(seen.size() == static_cast<std::size_t>(sent));
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(in.stats().waiting == 0);
    CHECK(most_waiting > 0);
  }
}

TEST_CASE("a cancelled link takes nothing more, and its handle may be dropped before") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  auto in = there.inbound<int>(to, "a");
  auto out = here.outbound<int>(from, "a");
  CHECK(there.links().size() == 1);
  (void)from.post(1, "a");
  all.steps.run();
  in.cancel();
  CHECK_FALSE(in.active());
  CHECK(there.links().empty());
  (void)from.post(2, "a");
  all.steps.run();
  CHECK(seen == 1);
  out.cancel();
  CHECK(from.post(3, "a") == msgbus::receipt{});
  CHECK(from.unrouted() == 1);
}

TEST_CASE("a component that is closed or destroyed ends its links") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  auto to = std::make_unique<subscriber>(all.executor());
  to->subscribe("a", [](int) {});
  auto in = there.inbound<int>(*to, "a");
  here.outbound<int>(from, "a");
  to.reset();
  (void)from.post(1, "a");
  all.steps.run();
  CHECK(in.stats().refused == 1);
  CHECK_FALSE(in.active());
}

TEST_CASE("a bridge that is drained sends what waits to go out, and takes nothing new", "[B8]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  there.inbound<int>(to, "a");
  auto out = here.outbound<int>(from, "a");
  for (int i = 0; i < 100; ++i) (void)from.post(i, "a");
  const msgbus::drain_report report = all.steps.run(here.drain(5s));
  CHECK(report.handled > 0);
  CHECK(report.failed == 0);
  CHECK(report.abandoned == 0);
  CHECK(out.stats().sent == 100);
  all.steps.run();
  CHECK(seen == 100);
  CHECK(here.links().empty());
  CHECK(code_of([&] { (void)here.outbound<int>(from, "b"); }) == errc::closed);
  CHECK(from.post(1, "a") == msgbus::receipt{});
}

TEST_CASE("what came in and goes on through a component's mailbox still goes out", "[B8]") {
  neighbourhood all;
  bridge front = all.connect();
  bridge middle = all.connect();
  bridge back = all.connect();
  publisher start;
  publisher go_on;
  subscriber first(all.executor());
  consumer second(all.executor());
  subscriber last(all.executor());
  int arrived = 0;
  first.subscribe("a", [&](int n) { (void)second.post(n); });
  second.handler([&](const int& n) -> awaitable<void> {
    co_await hop(3);
    (void)go_on.post(n, "b");
  });
  last.subscribe("b", [&](int) { ++arrived; });
  middle.inbound<int>(first, "a");
  middle.outbound<int>(go_on, "b");
  back.inbound<int>(last, "b");
  front.outbound<int>(start, "a");
  for (int i = 0; i < 20; ++i) (void)start.post(i, "a");
  for (int i = 0; i < 15; ++i) (void)all.steps.step();
  const auto end = [&]() -> awaitable<void> {
    (void)co_await front.drain(5s);
    (void)co_await middle.drain_inbound(5s);
    (void)co_await first.drain(5s);
    (void)co_await second.drain(5s);
    (void)co_await middle.drain(5s);
  };
  all.steps.run(end());
  all.steps.run();
  CHECK(arrived == 20);
}

TEST_CASE("invalid patterns are refused where they are given", "[T7]") {
  neighbourhood all;
  bridge here = all.connect();
  publisher from;
  subscriber to(all.executor());
  CHECK(code_of([&] { (void)here.outbound<int>(from, "a..b"); }) == errc::invalid_topic);
  CHECK(code_of([&] { (void)here.inbound<int>(to, ">.a"); }) == errc::invalid_topic);
}

TEST_CASE("everything may be destroyed in any order, amid traffic", "[A12][D8]") {
  for (int order_of_end = 0; order_of_end < 4; ++order_of_end) {
    for (int steps = 0; steps < 40; ++steps) {
      auto all = std::make_unique<neighbourhood>();
      auto here = std::make_unique<bridge>(all->connect());
      auto there = std::make_unique<bridge>(all->connect());
      auto from = std::make_unique<publisher>();
      auto to = std::make_unique<subscriber>(all->executor());
      to->subscribe("a", [](int) -> awaitable<void> { co_await hop(); });
      there->inbound<int>(*to, "a");
      here->outbound<int>(*from, "a");
      for (int i = 0; i < 3; ++i) (void)from->post(i, "a");
      for (int i = 0; i < steps; ++i) (void)all->steps.step();
      if (order_of_end == 0) to.reset();
      if (order_of_end == 1) there.reset();
      if (order_of_end == 2) here.reset();
      if (order_of_end == 3) from.reset();
      if (steps % 2 == 0) all->steps.run();
      here.reset();
      there.reset();
      from.reset();
      to.reset();
    }
  }
}

}  // namespace bridge_test
