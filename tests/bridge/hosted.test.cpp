// A bridge in a host.

#include <msgbus/bridge/bridge.hpp>

#include <msgbus/async/host.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/metrics.hpp>

#include <nlohmann/json.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace hosted_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::drain_report;
using msgbus::async::host;
using msgbus::async::host_report;
using msgbus::async::publisher;
using msgbus::async::subscriber;
using msgbus_test::gate;
using msgbus_test::neighbourhood;
using namespace std::chrono_literals;

namespace {

struct order {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, id)

}  // namespace

TEST_CASE("a host ends a bridge's intake first, and sends what handlers have left in its turn",
          "[A10][B8]") {
  neighbourhood all;
  bridge there = all.connect();
  bridge here = all.connect();
  publisher orders, bills;
  subscriber incoming(all.executor()), bill_reader(all.executor());
  gate open;
  std::vector<int> billed;
  incoming.subscribe("orders", [&](const order& event) -> awaitable<void> {
    co_await open.wait();
    order bill{event.id * 10};
    (void)co_await bills.send(bill, "bills");
  });
  bill_reader.subscribe("bills", [&](const order& event) { billed.push_back(event.id); });
  there.outbound<order>(orders, "orders");
  here.inbound<order>(incoming, "orders");
  here.outbound<order>(bills, "bills");
  there.inbound<order>(bill_reader, "bills");

  host program(all.executor());
  program.add("incoming", incoming);
  program.add("nats", here);
  (void)orders.post(order{1}, "orders");
  (void)orders.post(order{2}, "orders");
  all.steps.run();
  program.stop();
  auto running = all.steps.spawn(program.run());
  all.steps.run();
  CHECK_FALSE(running.done());
  (void)orders.post(order{3}, "orders");  // too late
  all.steps.run();
  open.open();
  all.steps.run();
  while (!running.done() && all.clock.advance_to_next()) all.steps.run();
  REQUIRE(running.done());
  all.steps.run();
  const host_report report = running.get();
  CHECK(billed == std::vector{10, 20});
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[1].kind == "bridge");
  CHECK(report.components[1].report.abandoned == 0);
  CHECK(report.complete());
  CHECK(incoming.stats().handled == 2);
}

TEST_CASE("a bridge may be destroyed before its host", "[D8]") {
  neighbourhood all;
  std::optional<bridge> here(all.connect());
  host program(all.executor());
  program.add("nats", *here);
  here.reset();
  program.stop();
  const host_report report = all.steps.run(program.run());
  CHECK(report.components[0].destroyed);
}

TEST_CASE("metrics have the counts of links, and how long sends and calls take, once they exist",
          "[O4]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher orders;
  subscriber incoming(all.executor());
  msgbus::async::service prices(all.executor());
  auto price = prices.handler("price", [](int id) {
    if (id == 0) throw std::runtime_error("no such order");
    return id;
  });
  incoming.subscribe("orders.*", [](const order&) {});
  here.outbound<order>(orders, "orders.*");
  there.inbound<order>(incoming, "orders.>", {.queue_group = "g"});
  there.serve("shop", price);
  const msgbus::remote_service shop(here, "shop");
  const auto send = [&] {
    (void)orders.post(order{1}, "orders.new");
    CHECK(all.clock.run(all.steps, shop.execute<int>("price", 7)) == 7);
    CHECK_THROWS_AS(all.clock.run(all.steps, shop.execute<int>("price", 0)), msgbus::remote_error);
  };
  send();
  msgbus::metrics figures;
  figures.add("here", here);
  figures.add("there", there);
  CHECK(figures.prometheus().find("msgbus_client_operation_duration_seconds") == std::string::npos);
  send();
  const std::string text = figures.prometheus();
  const std::string of = R"(msgbus_client_operation_duration_seconds_count{bridge="here",)";
  const auto has = [&](const std::string& line) { return text.find(line + '\n') != text.npos; };
  CHECK(has(of + R"(operation="send",destination="orders.*",outcome="ended"} 1)"));
  CHECK(has(of + R"(operation="call",destination="shop",outcome="ended"} 1)"));
  CHECK(has(of + R"(operation="call",destination="shop",outcome="failed"} 1)"));
  const auto points = [&](const std::string& name) {
    std::string found;
    for (const msgbus::metric_data& each : figures.collect()) {
      if (each.name != name) continue;
      for (const auto& point : each.points) {
        for (const auto& one : point.attributes) {
          found += one.key.substr(one.key.rfind('.', one.key.rfind('.') - 1) + 1) + '=' +
                   std::get<std::string>(one.value) + ' ';
        }
        std::int64_t value = 0;
        for (const auto bucket : point.buckets) value += static_cast<std::int64_t>(bucket);
        if (point.buckets.empty()) value = std::get<std::int64_t>(point.value);
        found += std::to_string(value) + '\n';
      }
    }
    return found;
  };
  CHECK(points("messaging.client.operation.duration") ==
        "messaging.system=msgbus operation.name=call destination.name=shop 1\n"
        "messaging.system=msgbus operation.name=call destination.name=shop error.type=_OTHER 1\n"
        "messaging.system=msgbus operation.name=send destination.template=orders.* 1\n");
  CHECK(points("messaging.client.sent.messages") ==
        "messaging.system=msgbus operation.name=send destination.template=orders.* 2\n"
        "messaging.system=msgbus operation.name=send destination.template=orders.* "
        "error.type=_OTHER 0\n");
  CHECK(points("messaging.client.consumed.messages") ==
        "messaging.system=msgbus operation.name=receive destination.template=orders.> "
        "group.name=g 2\n"
        "messaging.system=msgbus operation.name=receive destination.template=orders.> "
        "group.name=g error.type=_OTHER 0\n"
        "messaging.system=msgbus operation.name=receive destination.name=shop.price "
        "group.name=msgbus 2\n"
        "messaging.system=msgbus operation.name=receive destination.name=shop.price "
        "group.name=msgbus error.type=_OTHER 2\n");
}

TEST_CASE("operations are measured as long as metrics exist, and a store has no topic",
          "[O3][O4]") {
  neighbourhood all;
  bridge here = all.connect();
  all.steps.run(here.ensure_stream({.name = "ORDERS", .topics = {"orders.>"}}));
  const auto store = [&](const std::string& topic) {
    (void)all.steps.run(here.store(order{1}, topic));
  };
  {
    msgbus::metrics figures;
    figures.add("nats", here);
    store("orders.1");
    store("orders.2");
    CHECK_THROWS(all.clock.run(all.steps, here.store(order{1}, "elsewhere")));
    const std::string text = figures.prometheus();
    const std::string of = R"(msgbus_client_operation_duration_seconds_count{bridge="nats",)"
                           R"(operation="store",destination="",outcome=)";
    CHECK(text.find(of + "\"ended\"} 2\n") != std::string::npos);
    CHECK(text.find(of + "\"failed\"} 1\n") != std::string::npos);
  }
  store("orders.3");
  msgbus::metrics figures({.times = false});
  figures.add("nats", here);
  store("orders.4");
  CHECK(figures.prometheus().find(R"(outcome="ended"} 2)") != std::string::npos);
}

}  // namespace hosted_test
