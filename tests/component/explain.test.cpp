#include "component/explain.hpp"

#include <msgbus/depends.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/naive_topics.hpp"

#include <array>
#include <string>
#include <string_view>

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

namespace explain_test {

using msgbus::explanation;
using msgbus::component::described_handler;
using msgbus::component::difference;
using msgbus::component::receiver;
using msgbus::detail::key_of;

namespace {

struct order {};
struct refund {};

template <class... Ms>
described_handler handler_of(std::string label, std::vector<std::string> patterns = {}) {
  described_handler made;
  made.facts.label = std::move(label);
  made.facts.patterns = std::move(patterns);
  made.types = {key_of<Ms>...};
  return made;
}

receiver audit(std::vector<described_handler> handlers) {
  receiver made;
  made.label = "the consumer \"audit\"";
  made.executor = "io_context 1";
  made.handlers = std::move(handlers);
  return made;
}

std::vector<std::string> labels(const std::vector<explanation::entry>& of) {
  std::vector<std::string> all;
  for (const auto& each : of) all.push_back(each.handler.label);
  return all;
}

explanation of_event(const receiver& to) {
  explanation made;
  msgbus::component::explain_event(made, to, key_of<order>);
  return made;
}

template <class M>
explanation of_message(const receiver& to, std::string_view topic) {
  explanation made;
  msgbus::component::explain_message(made, to, topic, key_of<M>);
  return made;
}

}  // namespace

TEST_CASE("handlers of every event come after those of its type", "[T4]") {
  const auto made =
      of_event(audit({handler_of<>("every"), handler_of<order>("first"),
                      handler_of<refund>("other"), handler_of<int, order>("second")}));
  CHECK(labels(made.run) == std::vector<std::string>{"first", "second", "every"});
  CHECK(labels(made.others) == std::vector<std::string>{"other"});
  CHECK(made.others[0].reasons[0].find("it takes explain_test::") == 0);
  CHECK(made.run[0].executor == "io_context 1");
  CHECK(made.arrives());
}

TEST_CASE("a component that refuses says so for each handler") {
  receiver closed = audit({handler_of<order>("one")});
  closed.refusal = "the component is closed: it takes no new messages";
  const auto made = of_event(closed);
  CHECK_FALSE(made.arrives());
  REQUIRE(made.others.size() == 1);
  CHECK(made.others[0].reasons.at(0) == closed.refusal);
}

TEST_CASE("a handler is listed with the obstacles for a message") {
  receiver chosen = audit({handler_of<order>("one")});
  chosen.choice = "only if it is chosen";
  chosen.handlers[0].obstacles = {"the circuit breaker is open"};
  const auto made = of_event(chosen);
  REQUIRE(made.run.size() == 1);
  CHECK(made.run[0].reasons ==
        std::vector<std::string>{"only if it is chosen", "the circuit breaker is open"});
}

TEST_CASE("a component without handlers says so") {
  const auto made = of_event(audit({}));
  CHECK_FALSE(made.arrives());
  CHECK(made.notes.at(0) == "the consumer \"audit\": it has no handlers");
}

TEST_CASE("where a pattern and a topic differ is said by the token") {
  CHECK(difference("orders.*.placed", "orders.eu.placed").empty());
  CHECK(difference("orders.>", "orders.eu.placed").empty());
  CHECK(difference(">", "orders").empty());
  CHECK(difference("orders", "orders").empty());
  CHECK(difference("orders.us.*", "orders.eu.placed") ==
        "the pattern 'orders.us.*' has 'us' as token 2, and the topic has 'eu'");
  CHECK(difference("orders.*", "orders.eu.placed") == "the pattern 'orders.*' ends after token 2");
  CHECK(difference("orders.eu.*", "orders.eu") ==
        "the pattern 'orders.eu.*' has a token 3, '*', and the topic has not");
  CHECK(difference("orders.>", "orders") ==
        "the pattern 'orders.>' has a token 2, '>', and the topic has not");
}

TEST_CASE("a pattern and a topic differ where they do not match", "[T7]") {
  const std::array<std::string_view, 4> tokens{"a", "b", "*", ">"};
  std::vector<std::string> patterns;
  std::vector<std::string> topics;
  for (const auto one : tokens) {
    for (const auto two : tokens) {
      for (const auto three : tokens) {
        const std::string all =
            std::string(one) + '.' + std::string(two) + '.' + std::string(three);
        for (const std::string& each :
             {all, std::string(one), std::string(one) + '.' + std::string(two)}) {
          if (!msgbus::detail::topic_fault(each, true)) patterns.push_back(each);
          if (!msgbus::detail::topic_fault(each, false)) topics.push_back(each);
        }
      }
    }
  }
  for (const std::string& pattern : patterns) {
    for (const std::string& topic : topics) {
      CHECK(difference(pattern, topic).empty() == msgbus_test::naive_match(pattern, topic));
    }
  }
}

TEST_CASE("a handler runs by the first of its patterns that matches") {
  const auto made = of_message<order>(
      audit({handler_of<order>("one", {"x", "a.*", "a.b"}), handler_of<order>("two", {"b"})}),
      "a.b");
  REQUIRE(made.run.size() == 1);
  CHECK(made.run[0].pattern == "a.*");
  REQUIRE(made.others.size() == 1);
  CHECK(made.others[0].reasons.at(0) ==
        "the pattern 'b' has 'b' as token 1, and the topic has 'a'");
}

TEST_CASE("a mistyped message is explained by the words of its error", "[T6]") {
  const auto made =
      of_message<refund>(audit({handler_of<order>("handler of order on 'a'", {"a"})}), "a");
  CHECK_FALSE(made.arrives());
  const std::string type(msgbus::type_name<refund>());
  CHECK(made.notes.at(0) == "message of type " + type +
                                " on topic 'a': no handler accepts this type; handlers on this "
                                "topic: handler of order on 'a'");
}

TEST_CASE("a conversion is said, and whether every value has it", "[T5]") {
  const auto handlers =
      audit({handler_of<std::string>("text", {"a"}), handler_of<double>("number", {"a"}),
             handler_of<int>("small", {"a"}), handler_of<>("every", {"a"})});
  const auto of_literal = of_message<const char*>(handlers, "a");
  CHECK(labels(of_literal.run) == std::vector<std::string>{"text", "every"});
  CHECK(of_literal.run[0].reasons.at(0) ==
        std::string(msgbus::type_name<const char*>()) + " is converted to std::string");
  const auto of_long = of_message<long>(handlers, "a");
  CHECK(labels(of_long.run) == std::vector<std::string>{"number", "small", "every"});
  CHECK(of_long.run[1].reasons.at(0) ==
        std::string(msgbus::type_name<long>()) +
            " is converted to int, if that can hold the value; otherwise not");
  const auto of_float = of_message<float>(handlers, "a");
  CHECK(labels(of_float.run) == std::vector<std::string>{"number", "every"});
  CHECK(labels(of_message<double>(handlers, "a").run) ==
        std::vector<std::string>{"number", "every"});
}

TEST_CASE("a command without an operation names those that exist, and the most similar") {
  receiver service = audit({});
  service.label = "the service";
  for (const char* each : {"update", "remove"}) {
    described_handler made;
    made.facts.operation = each;
    service.handlers.push_back(made);
  }
  explanation made;
  msgbus::component::explain_command(made, service, "updat");
  CHECK_FALSE(made.arrives());
  CHECK(made.notes.at(0) == "the service has no operation 'updat'; it has: remove, update");
  CHECK(made.others.at(0).reasons.at(0) == "it has another name than 'updat': was this one meant?");
  CHECK(made.others.at(1).reasons.at(0) == "it has another name than 'updat'");
  explanation found;
  msgbus::component::explain_command(found, service, "remove");
  CHECK(found.run.size() == 1);
  CHECK(found.notes.empty());
}

TEST_CASE("a topic that is invalid is a note with the words of its error", "[T7]") {
  explanation made = msgbus::component::ask("a..b", nullptr, "published by the publisher");
  CHECK(made.question == "a message on 'a..b', published by the publisher");
  CHECK_FALSE(msgbus::component::check_topic(made, "a..b"));
  CHECK(made.notes.at(0).find("invalid topic 'a..b': it has an empty token") != std::string::npos);
}

}  // namespace explain_test
