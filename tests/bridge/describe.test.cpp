// Links of bridges in the graph of a host.

#include <msgbus/async/describe.hpp>

#include <msgbus/async/host.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/graph_source.hpp>

#include "support/bridge_fixture.hpp"

namespace describe_test {

using msgbus::graph;
using shop::order;

namespace {

const graph::component* named(const graph& in, std::string_view kind, std::string_view part) {
  for (const auto& each : in.components) {
    if (each.kind == kind && each.name.find(part) != std::string::npos) return &each;
  }
  return nullptr;
}

bool leads(const graph& in, const graph::component* from, const graph::component* to) {
  REQUIRE(from);
  REQUIRE(to);
  for (const auto& each : in.bindings) {
    if (each.from == from->id && each.to == to->id) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("links stand between their components and their bridge") {
  neighbourhood all;
  msgbus::async::host host(all.executor());
  bridge server = all.connect();
  publisher orders;
  subscriber others(all.executor());
  msgbus::async::service prices(all.executor());
  auto price = prices.handler("price", [](int id) { return id; });
  host.add("nats", server);
  host.add("others", others);
  auto in = server.inbound<order>(others, "orders.>");
  auto out = server.outbound<order>(orders, "bills.>");
  auto served = server.serve("shop", price);
  const graph made = msgbus::graph_of(host);
  const auto* const over = named(made, "bridge", "nats");
  const auto* const inbound = named(made, "link", "inbound orders.>");
  const auto* const outbound = named(made, "link", "outbound bills.>");
  CHECK(leads(made, over, inbound));
  CHECK(leads(made, inbound, named(made, "subscriber", "others")));
  CHECK(leads(made, named(made, "publisher", ""), outbound));
  CHECK(leads(made, outbound, over));
  CHECK(outbound->detail == "outbound");
  CHECK(inbound->detail == "inbound, at most once");
  const auto* const service = named(made, "service", "");
  REQUIRE(service);
  CHECK(service->handlers.at(0).operation == "price");
  in.cancel();
  out.cancel();
  served.cancel();
  const graph after = msgbus::graph_of(host);
  CHECK(named(after, "link", "") == nullptr);
  server.close();
  CHECK(named(msgbus::graph_of(host), "bridge", "nats")->closed);
}

TEST_CASE("a source has a bridge without a host under the name that it gives") {
  neighbourhood all;
  bridge server = all.connect();
  msgbus::graph_source source;
  source.add("nats", server);
  CHECK(source.read().components.at(0).label() == "bridge \"nats\"");
}

}  // namespace describe_test
