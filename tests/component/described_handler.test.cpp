#include <msgbus/detail/component/described_handler.hpp>

#include <msgbus/depends.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"

#include <string>

namespace described_handler_test {

using msgbus::depends;
using msgbus::graph;

namespace {

struct order {};
struct database {};
inline constexpr msgbus::required<database&> get_database{"database"};
int get_limit(depends<get_database>) { return 1; }
int get_other_limit() { return 2; }

template <class Component>
graph::handler only_handler_of(const Component& component) {
  return msgbus::graph_of(component).components.at(0).handlers.at(0);
}

}  // namespace

TEST_CASE("a handler lists its dependencies, with theirs") {
  msgbus::sync::consumer consumer;
  consumer.handler([](const order&, depends<get_limit>, const msgbus::context&) {});
  const graph::handler handler = only_handler_of(consumer);
  REQUIRE(handler.dependencies.size() == 1);
  const graph::dependency& limit = handler.dependencies[0];
  CHECK(limit.name.ends_with("get_limit"));
  CHECK(limit.type == "int");
  CHECK_FALSE(limit.required);
  CHECK_FALSE(limit.provided());
  REQUIRE(limit.needs.size() == 1);
  CHECK(limit.needs[0].name == "database");
  CHECK(limit.needs[0].required);
}

TEST_CASE("an override is listed with its line and its own dependencies", "[I4]") {
  msgbus::sync::consumer consumer;
  consumer.handler([](const order&, depends<get_limit>) {});
  consumer.override(get_limit, &get_other_limit);
  const graph::dependency limit = only_handler_of(consumer).dependencies.at(0);
  CHECK(limit.overridden_by == "int (*)()");
  CHECK(limit.needs.empty());
  CHECK(limit.provided());
  consumer.override(get_limit, [](depends<get_database>) { return 3; });
  CHECK(only_handler_of(consumer).dependencies.at(0).needs.at(0).name == "database");
  consumer.restore(get_limit);
  CHECK(only_handler_of(consumer).dependencies.at(0).overridden_by.empty());
}

TEST_CASE("overrides in a cycle are listed once", "[I5]") {
  msgbus::sync::consumer consumer;
  consumer.handler([](const order&, depends<get_limit>) {});
  consumer.override(get_limit, [](depends<get_limit>) { return 3; });
  const graph::dependency limit = only_handler_of(consumer).dependencies.at(0);
  REQUIRE(limit.needs.size() == 1);
  CHECK(limit.needs[0].needs.empty());
}

TEST_CASE("an operation lists its arguments and its result") {
  msgbus::sync::service service;
  (void)service.handler("update",
                        [](int, const std::string&, depends<get_database>) { return true; });
  const graph::handler update = only_handler_of(service);
  CHECK(update.operation == "update");
  CHECK(update.label == "operation 'update'");
  CHECK(update.arguments.starts_with("int, const std::"));
  CHECK(update.result == "bool");
  CHECK(update.dependencies.at(0).name == "database");
}

TEST_CASE("a policy of a sync handler is listed in words") {
  msgbus::sync::consumer consumer;
  auto bank = std::make_shared<msgbus::circuit_breaker>(msgbus::breaker_options{.name = "bank"});
  consumer.handler([](const order&) {},
                   {.breaker = bank, .retry = {.attempts = 3}, .rate_limit = {.permits = 100}});
  CHECK(only_handler_of(consumer).policy == "circuit breaker \"bank\", 3 attempts, 100 in 1 s");
  msgbus::sync::service service;
  (void)service.handler("update", [](int) {}, {.retry = {.attempts = 2}});
  CHECK(only_handler_of(service).policy == "2 attempts");
}

}  // namespace described_handler_test
