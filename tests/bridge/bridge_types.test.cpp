// Which types a link reads and writes, and messages that are neither.

#include <msgbus/bridge/bridge.hpp>

#include "support/bridge_fixture.hpp"

namespace bridge_types_test {

using namespace bridge_test;

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

TEST_CASE("a message that cannot be decoded is counted and reported, and the next one is handled",
          "[B5]") {
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

}  // namespace bridge_types_test
