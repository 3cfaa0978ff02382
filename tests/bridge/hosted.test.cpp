// A bridge in a host.

#include <msgbus/bridge/bridge.hpp>

#include <msgbus/async/host.hpp>

#include <nlohmann/json.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"

#include <optional>
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

}  // namespace hosted_test
