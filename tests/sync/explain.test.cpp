#include <msgbus/sync/explain.hpp>

#include <msgbus/error.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>

namespace explain_test {

using msgbus::explain;
using msgbus::explanation;
using msgbus::explanation_of;

namespace {

struct order {
  int id = 0;
};
struct refund {};
inline constexpr msgbus::required<int&> get_count{"count"};

bool has(const std::vector<std::string>& among, std::string_view text) {
  for (const std::string& each : among) {
    if (each.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("exactly the handlers run that an explanation lists", "[D1]") {
  msgbus::sync::producer producer;
  msgbus::sync::consumer one;
  msgbus::sync::consumer other;
  producer.bind(one, other);
  std::vector<std::uint32_t> lines;
  one.handler([&](const msgbus::any_event&) { lines.push_back(42); });
  one.handler([&](const order&) { lines.push_back(43); });
  one.handler([&](const refund&) { lines.push_back(44); });
  other.handler([&](const order&) { lines.push_back(45); });
  CHECK(producer.dispatch(order{}) == 3);
  const explanation made = explanation_of<order>(producer);
  CHECK(made.question.ends_with("order, dispatched by the producer"));
  REQUIRE(made.run.size() == lines.size());
  CHECK(made.run[0].handler.attached_at.line + 1 == made.others[0].handler.attached_at.line);
  CHECK(made.run[1].handler.label == "handler of any type");
  CHECK(made.run[2].component == "consumer 2 of 2");
  REQUIRE(made.others.size() == 1);
  CHECK(explain<order>(producer) == made.text());
  CHECK(explanation_of<order>(other).run.size() == 1);
  CHECK(explain<refund>(other).find("no handler runs") != std::string::npos);
}

TEST_CASE("a producer to which nothing is bound says so", "[D3]") {
  msgbus::sync::producer producer;
  const explanation made = explanation_of<order>(producer);
  CHECK_FALSE(made.arrives());
  CHECK(has(made.notes, "nothing is bound to the producer"));
}

TEST_CASE("a required dependency without an override is said before the handler fails", "[I5]") {
  msgbus::sync::consumer consumer;
  consumer.handler([](const order&, msgbus::depends<get_count>) {});
  CHECK(has(explanation_of<order>(consumer).run.at(0).reasons,
            "not_provided: the dependency 'count' has no default and no override"));
  int count = 0;
  consumer.override(get_count, [&]() -> int& { return count; });
  CHECK(explanation_of<order>(consumer).run.at(0).reasons.empty());
}

TEST_CASE("the error of a mistyped message is among the notes of its explanation", "[T6]") {
  msgbus::sync::publisher publisher;
  msgbus::sync::subscriber subscriber;
  publisher.bind(subscriber);
  subscriber.subscribe("orders.*", [](const order&) {});
  const std::string error = msgbus_test::text_of([&] { publisher.publish(refund{}, "orders.eu"); });
  CHECK(has(explanation_of<refund>(publisher, "orders.eu").notes, error));
  CHECK(explanation_of(publisher, "orders.eu").arrives());
  CHECK(explanation_of<order>(subscriber, "orders.eu").run.at(0).pattern == "orders.*");
  CHECK(has(explanation_of(subscriber, "bills.eu").others.at(0).reasons,
            "has 'orders' as token 1, and the topic has 'bills'"));
  CHECK(explain(publisher, "orders.eu.placed") ==
        explanation_of(publisher, "orders.eu.placed").text());
  CHECK(explain<order>(subscriber, "orders.eu") ==
        explanation_of<order>(subscriber, "orders.eu").text());
  CHECK(explain(subscriber, "orders..eu").find("it has an empty token") != std::string::npos);
}

TEST_CASE("the error of a missing operation is among the notes of its explanation", "[D3]") {
  msgbus::sync::service service;
  (void)service.handler("update", [](int) {});
  const std::string error = msgbus_test::text_of([&] { service.execute("updat", 1); });
  CHECK(has(explanation_of(service, "updat").notes, error));
  CHECK(explanation_of(service, "update").run.at(0).handler.arguments == "int");
  CHECK(explain(service, "update").find("1 handler runs") != std::string::npos);
}

}  // namespace explain_test
