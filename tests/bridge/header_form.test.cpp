#include <msgbus/async.hpp>
#include <msgbus/bridge.hpp>

#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/shop.hpp"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace header_form_test {

using msgbus::context;
using msgbus::envelope;
using msgbus::header_form;
using msgbus::headers;
using msgbus_test::neighbourhood;

namespace {

/// Keeps what comes to it as it is on the wire.
class tap final : public msgbus::transport::sink {
 public:
  bool take(envelope&& message, bool) noexcept override {
    got.push_back(std::move(message));
    return true;
  }
  std::vector<envelope> got;
};

std::set<std::string> names_in(const headers& all) {
  std::set<std::string> names;
  for (const auto& [name, value] : all) names.emplace(name);
  return names;
}

/// A link of one form, what it puts on the wire, and who reads it.
struct wired {
  neighbourhood all;
  msgbus::bridge here = all.connect();
  msgbus::bridge there = all.connect();
  std::shared_ptr<msgbus::transport::transport> wire = all.broker.connect(all.executor());
  std::shared_ptr<tap> tapped = std::make_shared<tap>();
  std::unique_ptr<msgbus::transport::feed> feed = wire->subscribe("out.>", "", tapped);
  msgbus::async::publisher from;
  msgbus::async::subscriber to{all.executor()};
  std::vector<std::string> read;

  explicit wired(header_form form, msgbus::encoding encoding = msgbus::encoding::json) {
    msgbus::outbound_options how;
    how.form = form;
    how.encoding = encoding;
    how.source = "/shop/the orders";
    here.outbound<int, std::string>(from, "out.>", how);
    to.subscribe("out.*", [this](const std::string& text) { read.push_back(text); });
    there.inbound<std::string>(to, "out.*");
  }
  /// What is on the wire of a message that was sent while another one was handled.
  headers send_caused() {
    const msgbus::origin cause{
        .message_id = "m-2",
        .correlation_id = "m-1",
        .headers = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                    {"tracestate", "shop=1"}}};
    const auto shared = std::make_shared<const msgbus::origin>(cause);
    {
      const msgbus::detail::cause_scope scope(&shared);
      (void)from.post(std::string("tea"), "out.a");
    }
    all.steps.run();
    REQUIRE(tapped->got.size() == 1);
    return tapped->got.front().headers;
  }
};

}  // namespace

TEST_CASE("each form has its headers on the wire, and all are read", "[B1][B7]") {
  SECTION("full") {
    wired test(header_form::full);
    const headers got = test.send_caused();
    CHECK(names_in(got) == std::set<std::string>{"Nats-Msg-Id", "Msgbus-Type", "Content-Type",
                                                 "Msgbus-Correlation-Id", "Msgbus-Causation-Id",
                                                 "traceparent", "tracestate"});
    CHECK(test.read == std::vector<std::string>{"tea"});
  }
  SECTION("minimal") {
    wired test(header_form::minimal);
    const headers got = test.send_caused();
    CHECK(names_in(got) == std::set<std::string>{"Msgbus-Type", "traceparent", "tracestate"});
    CHECK(test.read == std::vector<std::string>{"tea"});
  }
  SECTION("minimal, where the content type is another one") {
    wired test(header_form::minimal, msgbus::encoding::cbor);
    const headers got = test.send_caused();
    CHECK(got.at("Content-Type") == "application/cbor");
    CHECK(test.read == std::vector<std::string>{"tea"});
  }
  SECTION("none") {
    wired test(header_form::none);
    CHECK(test.send_caused().empty());
    CHECK(test.tapped->got.front().payload == "\"tea\"");
    CHECK(test.read == std::vector<std::string>{"tea"});
  }
  SECTION("CloudEvents") {
    wired test(header_form::cloudevents);
    const headers got = test.send_caused();
    CHECK(names_in(got) ==
          std::set<std::string>{"ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time",
                                "ce-datacontenttype", "ce-correlationid", "ce-causationid",
                                "ce-traceparent", "ce-tracestate", "traceparent", "tracestate"});
    CHECK(got.at("ce-specversion") == "1.0");
    CHECK(got.at("ce-source") == "/shop/the%20orders");
    CHECK(got.at("ce-type") == "std::string");
    CHECK(got.at("ce-datacontenttype") == "application/json");
    CHECK(got.at("ce-correlationid") == "m-1");
    CHECK(got.at("ce-causationid") == "m-2");
    CHECK(got.at("ce-traceparent") == got.at("traceparent"));
    CHECK(test.read == std::vector<std::string>{"tea"});
  }
}

TEST_CASE("the receiver of a CloudEvent knows its id, its chain and its type", "[B7]") {
  neighbourhood all;
  msgbus::bridge there = all.connect();
  const auto wire = all.broker.connect(all.executor());
  msgbus::async::subscriber to(all.executor());
  std::vector<std::string> seen;
  to.subscribe<int, std::string>("a", [&](const auto&, const context& about) {
    seen = {std::string(about.message_id()), std::string(about.correlation_id()),
            std::string(about.causation_id()), about.headers().at("ce-extra")};
  });
  const auto link = there.inbound<int, std::string>(to, "a");
  const headers event{{"ce-specversion", "1.0"},   {"ce-id", "an%20id"},
                      {"ce-source", "/elsewhere"}, {"ce-type", "int"},
                      {"ce-correlationid", "c"},   {"ce-causationid", "d"},
                      {"ce-extra", "more"}};
  const auto send = [&](headers with) {
    wire->publish({.topic = "a", .headers = std::move(with), .payload = "7"},
                  msgbus::transport::urgency::bulk);
    all.steps.run();
  };
  send(event);
  CHECK(seen == std::vector<std::string>{"an id", "c", "d", "more"});

  headers other = event;
  other.insert_or_assign("ce-type", "com.example.other");
  send(other);
  CHECK(link.stats().undecodable == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], msgbus_test::contains("'com.example.other'"));
}

TEST_CASE("a CloudEvent in structured mode is refused by name, and not taken for its data",
          "[B5]") {
  neighbourhood all;
  msgbus::bridge there = all.connect();
  const auto wire = all.broker.connect(all.executor());
  msgbus::async::subscriber to(all.executor());
  to.subscribe("a", [](const nlohmann::json&) {});
  const auto link = there.inbound<nlohmann::json>(to, "a");
  wire->publish({.topic = "a",
                 .headers = {{"Content-Type", "application/cloudevents+json"}},
                 .payload = R"({"specversion":"1.0","id":"1","source":"/x","type":"y","data":7})"},
                msgbus::transport::urgency::bulk);
  all.steps.run();
  CHECK(link.stats().undecodable == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], msgbus_test::contains("'application/cloudevents+json'"));
}

TEST_CASE("a stored message has an id in every form, since the stream needs it", "[B2]") {
  for (const header_form form :
       {header_form::full, header_form::minimal, header_form::none, header_form::cloudevents}) {
    msgbus_test::shop all;
    msgbus::async::subscriber to(all.executor());
    std::vector<std::string> ids;
    to.subscribe("orders.>",
                 [&](int, const context& about) { ids.emplace_back(about.message_id()); });
    const auto link = all.join(to);
    msgbus::store_options how;
    how.form = form;
    how.message_id = "order 7";
    const auto store = [&] {
      return all.clock.run(all.steps, all.stores.store(7, "orders.placed", how));
    };
    CHECK_FALSE(store().duplicate);
    CHECK(store().duplicate);
    how.message_id = {};
    CHECK_FALSE(store().duplicate);
    all.live();
    REQUIRE(ids.size() == 2);
    CHECK(ids[0] == "order 7");
    CHECK_FALSE(ids[1].empty());
  }
}

TEST_CASE("an outbound link says how many messages wait in it", "[B5]") {
  neighbourhood all;
  msgbus::bridge here = all.connect();
  msgbus::async::publisher from;
  const auto out = here.outbound<int>(from, "a");
  for (int i = 0; i < 3; ++i) (void)from.post(i, "a");
  CHECK(out.stats().waiting == 3);
  CHECK(out.stats().sent == 0);
  all.steps.run();
  CHECK(out.stats().waiting == 0);
  CHECK(out.stats().sent == 3);
}

}  // namespace header_form_test
