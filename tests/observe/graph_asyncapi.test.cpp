// A graph as AsyncAPI describes it: its text, and its schema.

#include <msgbus/graph.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

#if defined(MSGBUS_ASYNCAPI) || defined(MSGBUS_ASYNCAPI_PARSER)
#include "support/run_with.hpp"
#endif

namespace graph_asyncapi_test {

using msgbus::graph;
using msgbus::graph_format;

namespace {

/// A bridge with an outbound link, one that serves a command, and a remote service.
graph bridged(const std::string& name, const std::string& topic) {
  graph all;
  all.title = name;
  all.version = "1.2.3";
  graph::component over{.id = "c1", .name = name, .kind = "bridge"};
  over.servers = {"nats://localhost:4222", "tls://[::1]:4223"};
  graph::component out{.id = "c2", .name = "outbound", .kind = "link"};
  out.channels = {
      {.topic = topic, .sends = true, .messages = {{name, "application/json"}, {name}}}};
  graph::component served{.id = "c3", .name = "service", .kind = "link"};
  served.channels = {
      {.topic = "shop." + name, .calls = true, .messages = {{name}}, .replies = {{"bool"}}}};
  graph::component prices{.id = "c4", .name = name, .kind = "service"};
  prices.handlers.resize(1);
  prices.handlers[0].operation = name;
  prices.handlers[0].arguments = "int";
  prices.handlers[0].result = "bool";
  graph::component remote{.id = "c5", .name = "bank", .kind = "remote_service"};
  remote.channels = {{.topic = "bank.*", .sends = true, .calls = true}};
  all.components = {over, out, served, prices, remote};
  all.bindings = {{"c2", "c1"}, {"c1", "c3"}, {"c3", "c4"}, {"c5", "c1"}};
  return all;
}

std::string asyncapi(const graph& all) { return describe(all, graph_format::asyncapi); }

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a channel of a document has the address, the servers and the messages of its topic") {
  const std::string text = asyncapi(bridged("price", "orders.*.placed.>"));
  CHECK(text.starts_with(R"({"asyncapi":"3.0.0","info":{"title":"price","version":"1.2.3"},)"));
  CHECK(holds(text, R"("price":{"host":"localhost:4222","protocol":"nats",)"));
  CHECK(
      holds(text, R"("price_2":{"host":"[::1]:4223","protocol":"nats","description":"Over TLS.")"));
  CHECK(holds(text, R"("orders___placed__":{"address":"orders.{token2}.placed.{rest}",)"
                    R"("x-msgbus-topic":"orders.*.placed.>","parameters":{)"
                    R"("token2":{"description":"One token of the topic."},)"
                    R"("rest":{"description":"One or more tokens of the topic."}},)"
                    R"("servers":[{"$ref":"#/servers/price"},{"$ref":"#/servers/price_2"}],)"
                    R"("messages":{"price":{"name":"price","contentType":"application/json"},)"
                    R"("price_2":{"name":"price"}}})"));
  CHECK(holds(text, R"("send_orders___placed__":{"action":"send",)"
                    R"("channel":{"$ref":"#/channels/orders___placed__"},)"
                    R"("messages":[{"$ref":"#/channels/orders___placed__/messages/price"},)"
                    R"({"$ref":"#/channels/orders___placed__/messages/price_2"}]})"));
}

TEST_CASE("a command of a document has its signature and its reply") {
  const std::string text = asyncapi(bridged("price", "a"));
  CHECK(holds(text, R"("messages":{"price":{"name":"price","summary":"price(int) -> bool"}})"));
  CHECK(holds(text, R"("shop_price_reply":{"address":null,)"
                    R"("description":"Each command names the address of its reply.")"));
  CHECK(holds(text, R"("receive_shop_price":{"action":"receive",)"
                    R"("channel":{"$ref":"#/channels/shop_price"},)"
                    R"("messages":[{"$ref":"#/channels/shop_price/messages/price"}],)"
                    R"("reply":{"channel":{"$ref":"#/channels/shop_price_reply"},)"
                    R"("messages":[{"$ref":"#/channels/shop_price_reply/messages/bool"}]}})"));
  CHECK(holds(text, R"("send_bank__":{"action":"send","channel":{"$ref":"#/channels/bank__"},)"
                    R"("reply":{"channel":{"$ref":"#/channels/bank___reply"}}})"));
}

TEST_CASE("links on one topic of one bridge share a channel, and those of other bridges do not") {
  graph all = bridged("price", "a");
  graph::component in{.id = "c6", .name = "inbound", .kind = "link"};
  in.channels = {{.topic = "a", .messages = {{"other"}}}};
  graph::component second{.id = "c7", .kind = "bridge"};
  graph::component there{.id = "c8", .name = "inbound", .kind = "link"};
  there.channels = {{.topic = "a", .messages = {{"third"}}}};
  all.components.insert(all.components.end(), {in, second, there});
  all.bindings.push_back({"c1", "c6"});
  all.bindings.push_back({"c7", "c8"});
  const std::string text = asyncapi(all);
  CHECK(holds(text, R"("other":{"name":"other"}}},)"));
  CHECK(holds(text, R"("c7":{"host":"localhost","protocol":"msgbus","title":"bridge c7"})"));
  CHECK(holds(text,
              R"("a_2":{"address":"a","x-msgbus-topic":"a","servers":[{"$ref":"#/servers/c7"}],)"
              R"("messages":{"third":{"name":"third"}}})"));
  CHECK(holds(text, R"("receive_a":{"action":"receive","channel":{"$ref":"#/channels/a"},)"
                    R"("messages":[{"$ref":"#/channels/a/messages/other"}]})"));
}

TEST_CASE("what has a meaning in an address stands for itself in one", "[O3]") {
  CHECK(holds(asyncapi(bridged("x", "a{b}.c?d#e/f%g")),
              R"("address":"a%7Bb%7D.c%3Fd%23e%2Ff%25g","x-msgbus-topic":"a{b}.c?d#e/f%g")"));
}

TEST_CASE("a graph without bridges has a document without channels") {
  CHECK(asyncapi(graph{}) == R"({"asyncapi":"3.0.0","info":{"title":"msgbus","version":"0.0.0"},)"
                             R"("channels":{},"operations":{}})");
}

#if defined(MSGBUS_ASYNCAPI) || defined(MSGBUS_ASYNCAPI_PARSER)
namespace {

std::vector<std::string> odd_documents() {
  const std::string odd = "odd \"name\" \\ \n {a} {{ }} #/x ~0 %% ? $ref \xff \xe2\x80\xa8";
  const std::string control("\0\x01\x7f", 3);
  return {asyncapi(bridged("price", "orders.*.placed.>")), asyncapi(bridged(odd, odd)),
          asyncapi(bridged(control, control)), asyncapi(bridged("", ">")), asyncapi(graph{})};
}

/// Documents, each with one mistake.
std::vector<std::string> wrong_documents() {
  const std::string right = asyncapi(bridged("price", "orders.*"));
  const auto wrong = [&](const std::string& part, const std::string& with) {
    std::string text = right;
    const auto at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, part.size(), with);
  };
  return {wrong(R"("action":"send")", R"("action":"sent")"), wrong(R"("token2":{)", R"("other":{)"),
          wrong(R"(#/channels/orders__")", R"(#/channels/none")"),
          wrong(R"("protocol":"nats",)", ""), wrong(R"("asyncapi":"3.0.0",)", "")};
}

}  // namespace
#endif

#ifdef MSGBUS_ASYNCAPI
TEST_CASE("a document is what AsyncAPI 3.0 says, whatever bytes names and topics hold", "[O3]") {
  for (const std::string& each : odd_documents()) {
    CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI, each) == 0);
  }
  for (const std::string& each : wrong_documents()) {
    CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI " 2> /dev/null", each) != 0);
  }
}
#endif

#ifdef MSGBUS_ASYNCAPI_PARSER
TEST_CASE("AsyncAPI's own parser takes a document, whatever bytes names and topics hold", "[O3]") {
  std::string all;
  for (const std::string& each : odd_documents()) all += each + '\n';
  CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI_PARSER, all) == 0);
  const std::string wrong = wrong_documents()[1] + '\n';
  CHECK(msgbus_test::run_with(MSGBUS_ASYNCAPI_PARSER " 2> /dev/null", wrong) != 0);
}
#endif

}  // namespace graph_asyncapi_test
