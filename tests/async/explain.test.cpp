#include <msgbus/async/explain.hpp>

#include <msgbus/async/host.hpp>
#include <msgbus/circuit_breaker.hpp>
#include <msgbus/error.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <memory>
#include <optional>
#include <string>

namespace explain_test {

using msgbus::explain;
using msgbus::explanation;
using msgbus::explanation_of;
using msgbus::async::consumer;
using msgbus::async::producer;

namespace {

struct order {
  int id = 0;
};
struct refund {};

bool has(const std::vector<std::string>& among, std::string_view text) {
  for (const std::string& each : among) {
    if (each.find(text) != std::string::npos) return true;
  }
  return false;
}

/// The text of the exception that the awaitable throws; empty if it throws none.
template <class T>
std::string error_of(asio::io_context& io, asio::awaitable<T> work) {
  auto done = asio::co_spawn(io, std::move(work), asio::use_future);
  io.restart();
  io.run();
  return msgbus_test::text_of([&] { (void)done.get(); });
}

}  // namespace

TEST_CASE("an event is explained for every bound consumer, by its name in the host") {
  asio::io_context io;
  msgbus::async::host all(io);
  consumer audit(io);
  consumer mail(io);
  all.add("audit", audit);
  all.add("mail", mail);
  producer sends;
  CHECK(has(explanation_of<order>(sends).notes, "nothing is bound to the producer"));
  sends.bind(audit, mail);
  audit.handler([](const msgbus::any_event&) {});
  audit.handler([](const order&) -> asio::awaitable<void> { co_return; });
  mail.handler([](const refund&) {});
  const explanation made = explanation_of<order>(sends);
  REQUIRE(made.run.size() == 2);
  CHECK(made.run[0].component == "the consumer \"audit\"");
  CHECK(made.run[0].executor == "io_context 1");
  CHECK(made.run[0].handler.coroutine);
  CHECK(made.run[1].handler.label == "handler of any type");
  REQUIRE(made.others.size() == 1);
  CHECK(made.others[0].component == "the consumer \"mail\"");
  CHECK(explain<order>(sends) == made.text());
  CHECK(explain<order>(audit).find("consumed by the consumer \"audit\": 2 handlers run") !=
        std::string::npos);
}

TEST_CASE("a closed consumer, and one whose context has gone, take nothing") {
  std::optional<asio::io_context> io(std::in_place);
  consumer orders(*io);
  orders.handler([](const order&) {});
  CHECK(explanation_of<order>(orders).arrives());
  orders.close();
  CHECK(has(explanation_of<order>(orders).others.at(0).reasons, "is closed"));
  consumer other(*io);
  other.handler([](const order&) {});
  io.reset();
  CHECK(has(explanation_of<order>(other).others.at(0).reasons,
            "the context of the component's executor has been destroyed"));
}

TEST_CASE("of a group, the choice is said with each handler") {
  asio::io_context io;
  consumer one(io);
  consumer two(io);
  one.handler([](const order&) {});
  two.handler([](const order&) {});
  producer sends;
  sends.bind_one_of(one, two);
  const explanation made = explanation_of<order>(sends);
  REQUIRE(made.run.size() == 2);
  CHECK(made.run[0].reasons.at(0) == "only if it is chosen, by round_robin, as one of 2");
  CHECK(made.run[1].component == "the consumer that was bound as number 2");
}

TEST_CASE("an open circuit breaker and a full mailbox are said") {
  asio::io_context io;
  consumer orders(io, {.capacity = 1});
  auto bank = std::make_shared<msgbus::circuit_breaker>(msgbus::breaker_options{.name = "bank"});
  orders.handler([](const order&) {}, {.breaker = bank});
  CHECK(explanation_of<order>(orders).run.at(0).reasons.empty());
  bank->isolate();
  CHECK(has(explanation_of<order>(orders).run.at(0).reasons,
            "the circuit breaker \"bank\" is isolated"));
  CHECK(orders.post(order{}).admitted == 1);
  CHECK(has(explanation_of<order>(orders).notes, "its mailbox is full: 1 messages wait"));
}

TEST_CASE("a handler whose own executor has gone says so") {
  asio::io_context io;
  std::optional<asio::io_context> own(std::in_place);
  consumer orders(io);
  orders.handler([](const order&) {}, {.executor = own->get_executor()});
  CHECK(explanation_of<order>(orders).run.at(0).executor == "io_context 2");
  own.reset();
  CHECK(has(explanation_of<order>(orders).run.at(0).reasons,
            "the context of its policy's executor has been destroyed"));
}

TEST_CASE("the error of a mistyped message is a note of its explanation", "[T6]") {
  asio::io_context io;
  msgbus::async::publisher publisher;
  msgbus::async::subscriber subscriber(io);
  CHECK(has(explanation_of(publisher, "orders.eu").notes, "nothing is bound to the publisher"));
  publisher.bind(subscriber);
  subscriber.subscribe("orders.*", [](const order&) {});
  const std::string error = error_of(io, publisher.publish(refund{}, "orders.eu"));
  REQUIRE_FALSE(error.empty());
  CHECK(has(explanation_of<refund>(publisher, "orders.eu").notes, error));
  CHECK(explanation_of<order>(publisher, "orders.eu").run.at(0).pattern == "orders.*");
  CHECK(explanation_of(subscriber, "orders.eu.placed").others.size() == 1);
  CHECK(explain(publisher, "a..b").find("it has an empty token") != std::string::npos);
  CHECK(explain<order>(publisher, "orders.eu") ==
        explanation_of<order>(publisher, "orders.eu").text());
  CHECK(explain<order>(subscriber, "orders.eu") ==
        explanation_of<order>(subscriber, "orders.eu").text());
  CHECK(explain(subscriber, "orders.eu") == explanation_of(subscriber, "orders.eu").text());
}

TEST_CASE("the error of a missing operation is a note of its explanation", "[D3]") {
  asio::io_context io;
  msgbus::async::service service(io);
  (void)service.handler("update", [](int) {}, {.retry = {.attempts = 2}});
  const std::string error = error_of(io, service.execute("updat", 1));
  REQUIRE_FALSE(error.empty());
  CHECK(has(explanation_of(service, "updat").notes, error));
  CHECK(explanation_of(service, "update").run.at(0).handler.policy == "2 attempts");
  CHECK(explain(service, "update") == explanation_of(service, "update").text());
}

}  // namespace explain_test
