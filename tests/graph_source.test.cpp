#include <msgbus/graph_source.hpp>

#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"

#include <optional>
#include <string>

namespace graph_source_test {

using msgbus::graph;
using msgbus::graph_source;

namespace {
struct order {};
}  // namespace

TEST_CASE("a source has the added sync components, and the components that are bound to them") {
  msgbus::sync::producer producer;
  msgbus::sync::consumer audit;
  msgbus::sync::consumer unnamed;
  producer.bind(audit, unnamed);
  audit.handler([](const order&) {});
  graph_source all;
  all.add("audit", audit);
  const graph before = all.read();
  REQUIRE(before.components.size() == 2);
  CHECK(before.components[0].label() == "consumer \"audit\"");
  CHECK(before.components[0].family == "sync");
  CHECK(before.components[0].handlers.size() == 1);
  CHECK(before.components[1].label() == "producer c2");
  REQUIRE(before.bindings.size() == 1);
  CHECK(before.bindings[0].from == "c2");
  CHECK(before.bindings[0].to == "c1");
  CHECK(before.bindings[0].bound_at.file.ends_with("graph_source.test.cpp"));
  all.add("orders", producer);
  const graph after = all.read();
  REQUIRE(after.components.size() == 3);
  CHECK(after.components[1].label() == "producer \"orders\"");
  CHECK(after.components[2].label() == "consumer c3");
  CHECK(after.bindings.size() == 2);
}

TEST_CASE("a component that was destroyed, unbound or cancelled is left out", "[D8]") {
  graph_source all;
  msgbus::sync::publisher publisher;
  all.add("prices", publisher);
  std::optional<msgbus::sync::subscriber> one(std::in_place);
  msgbus::sync::subscriber other;
  publisher.bind(*one, other);
  all.add("one", *one);
  CHECK(all.read().components.size() == 3);
  CHECK(all.read().bindings.size() == 2);
  one.reset();
  CHECK(all.read().components.size() == 2);
  auto handler = other.subscribe("a.*", [](const order&) {});
  CHECK(all.read().components[1].handlers.at(0).patterns == std::vector<std::string>{"a.*"});
  handler.cancel();
  CHECK(all.read().components[1].handlers.empty());
  publisher.unbind(other);
  CHECK(all.read().bindings.empty());
}

TEST_CASE("a source may outlive everything in it") {
  graph_source all;
  {
    msgbus::sync::service service;
    (void)service.handler("update", [](int) {});
    all.add("shop", service);
    CHECK(all.read().components.size() == 1);
  }
  CHECK(all.read().components.empty());
}

TEST_CASE("a graph is read inside a handler", "[D5]") {
  msgbus::sync::consumer consumer;
  std::size_t handlers = 0;
  consumer.handler([&](const order&) {
    handlers = msgbus::graph_of(consumer).components.at(0).handlers.size();
  });
  consumer.consume(order{});
  CHECK(handlers == 1);
}

}  // namespace graph_source_test
