// What crosses bridges, in the graph and as AsyncAPI describes it.

#include <msgbus/bridge/remote_service.hpp>

#include <msgbus/async/describe.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/graph_source.hpp>

#include "support/bridge_fixture.hpp"

#include <nlohmann/json.hpp>

#include <optional>

#if defined(MSGBUS_ASYNCAPI) || defined(MSGBUS_ASYNCAPI_PARSER)
#include "support/run_with.hpp"
#endif

namespace asyncapi_test {

using bridge_test::created;
using msgbus::graph;
using msgbus::remote_service;
using nlohmann::json;
using shop::order;
using shop::paid;
using shop::refund;

/// Their codecs have formats of their own; that of the first says which.
struct note {
  std::string text;
};
struct blob {
  std::string bytes;
};

namespace {

const graph::component& named(const graph& in, std::string_view kind, std::string_view part) {
  for (const auto& each : in.components) {
    if (each.kind == kind && each.name.find(part) != std::string::npos) return each;
  }
  FAIL("no " << kind << " named " << part);
  return in.components.front();
}

std::vector<std::string> texts(const std::vector<graph::channel::message>& all) {
  std::vector<std::string> made;
  for (const auto& each : all) made.push_back(each.name + " " + each.content_type);
  return made;
}

using strings = std::vector<std::string>;

}  // namespace

}  // namespace asyncapi_test

template <>
struct msgbus::codec<asyncapi_test::note> {
  static constexpr const char* content_type = "text/plain";
  static payload encode(const asyncapi_test::note& value, encoding) {
    return {value.text, content_type};
  }
  static asyncapi_test::note decode(std::string_view bytes, std::string_view) {
    return {std::string(bytes)};
  }
};
template <>
struct msgbus::codec<asyncapi_test::blob> {
  static payload encode(const asyncapi_test::blob& value, encoding) {
    return {value.bytes, "image/png"};
  }
  static asyncapi_test::blob decode(std::string_view bytes, std::string_view) {
    return {std::string(bytes)};
  }
};
template <>
struct msgbus::codec<shop::paid> : msgbus::cbor_codec<shop::paid> {};

namespace asyncapi_test {

TEST_CASE("a link says what it sends or receives, and as what") {
  neighbourhood all;
  bridge over = all.connect();
  publisher prices;
  producer orders;
  subscriber others(all.executor());
  consumer events(all.executor());
  over.outbound<order, note, blob, paid>(prices, "prices.>", {.encoding = msgbus::encoding::cbor});
  over.outbound<refund, created<order>>(orders, {.prefix = "shop"});
  over.inbound<order, refund>(others, "orders.*");
  over.inbound<refund>(events, {.queue_group = "g"});
  const graph made = msgbus::graph_of(over);
  const auto& out = named(made, "link", "outbound prices.>").channels;
  REQUIRE(out.size() == 1);
  CHECK(out[0].topic == "prices.>");
  CHECK(out[0].sends);
  CHECK_FALSE(out[0].calls);
  CHECK(texts(out[0].messages) == strings{"shop::order application/cbor",
                                          "asyncapi_test::note text/plain", "asyncapi_test::blob ",
                                          "shop::paid application/cbor"});
  const auto& sent = named(made, "link", "outbound shop.>").channels;
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].topic == msgbus::bridging::event_topic("shop", msgbus::name_of<refund>));
  CHECK(sent[0].sends);
  CHECK(texts(sent[0].messages) == strings{"shop::refund application/json"});
  CHECK(sent[1].topic == msgbus::bridging::event_topic("shop", msgbus::name_of<created<order>>));
  const auto& in = named(made, "link", "inbound orders.*").channels;
  REQUIRE(in.size() == 1);
  CHECK_FALSE(in[0].sends);
  CHECK(texts(in[0].messages) ==
        strings{"shop::order application/json", "shop::refund application/json"});
  const auto& received = named(made, "link", "(group g)").channels;
  REQUIRE(received.size() == 1);
  CHECK(received[0].topic == msgbus::bridging::event_topic("events", msgbus::name_of<refund>));
}

TEST_CASE("a served command and a remote service are in the graph, as long as they are there") {
  neighbourhood all;
  bridge over = all.connect();
  msgbus::async::service prices(all.executor());
  auto price = prices.handler("price", [](int id, double) { return id > 0; });
  auto forget = prices.handler("forget", [](int) {});
  auto served = over.serve("shop", price, forget);
  std::optional<remote_service> bank(std::in_place, over, "bank");
  const remote_service same(over, "bank");
  const graph made = msgbus::graph_of(over);
  const auto& commands = named(made, "link", "service 'shop'").channels;
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].topic == "shop.price");
  CHECK(commands[0].calls);
  CHECK_FALSE(commands[0].sends);
  CHECK(texts(commands[0].messages) == strings{"price application/json"});
  CHECK(texts(commands[0].replies) == strings{"bool application/json"});
  CHECK(texts(commands[1].replies) == strings{"void "});
  const auto& called = named(made, "remote_service", "bank").channels;
  REQUIRE(called.size() == 1);
  CHECK(called[0].topic == "bank.*");
  CHECK(called[0].sends);
  CHECK(called[0].calls);
  const auto count = [&] {
    const graph now = msgbus::graph_of(over);
    return std::ranges::count(now.components, "remote_service", &graph::component::kind);
  };
  CHECK(count() == 1);
  bank.reset();
  CHECK(count() == 1);
  const std::string text = msgbus::describe(made);
  CHECK_THAT(text, contains("remote_service \"bank\", calls commands\n"
                            "  sends commands on 'bank.*'\n"
                            "  -> bridge c1\n"));
  CHECK_THAT(text, contains("  receives commands price (application/json) on 'shop.price', "
                            "replies with bool (application/json)\n"));
  const json document = json::parse(describe(made, msgbus::graph_format::asyncapi));
  CHECK(document["operations"]["receive_shop_price"]["action"] == "receive");
  CHECK(document["channels"]["shop_price"]["messages"]["price"]["summary"] ==
        "price(int, double) -> bool");
  CHECK(document["channels"]["bank__"]["address"] == "bank.{token2}");
#ifdef MSGBUS_ASYNCAPI
  CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI, document.dump()) == 0);
#endif
#ifdef MSGBUS_ASYNCAPI_PARSER
  CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI_PARSER, document.dump()) == 0);
#endif
}

TEST_CASE("a durable link says where its dead letters go") {
  neighbourhood all;
  bridge over = all.connect();
  subscriber others(all.executor());
  all.steps.run(over.ensure_stream({.name = "ORDERS", .topics = {"orders.>", "dead.>"}}));
  msgbus::durable_options options;
  options.stream = "ORDERS";
  options.durable = "billing";
  options.dead_letter = "dead.orders";
  (void)all.steps.run(over.durable<order>(others, "orders.>", options));
  const graph made = msgbus::graph_of(over);
  const auto& both = named(made, "link", "durable billing").channels;
  REQUIRE(both.size() == 2);
  CHECK(both[0].topic == "orders.>");
  CHECK_FALSE(both[0].sends);
  CHECK(both[1].topic == "dead.orders");
  CHECK(both[1].sends);
  CHECK(texts(both[1].messages) == strings{"shop::order application/json"});
}

}  // namespace asyncapi_test
