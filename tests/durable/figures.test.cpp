// What metrics and a host see of a durable database.

#include <msgbus/durable/database.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/metrics.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/transport/memory.hpp>

#include "support/catch.hpp"
#include "support/durable_fixture.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace figures_test {

using msgbus::async::consumer;
using msgbus_test::contains;
using msgbus_test::durable_fixture;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_cancelled;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

TEST_CASE("metrics show the work of a durable database and the waiting messages of its file",
          "[O2]") {
  durable_fixture all;
  loop& in = all.in;
  const durable_ptr& db = all.db;
  int got = 0;
  all.billing.handler([&](const order_placed&) { ++got; });
  db->route<order_placed>("billing", all.billing);
  msgbus::metrics figures;
  figures.add("shop", *db);
  for (int id = 1; id <= 3; ++id) {
    all.place(id);
    all.place_late(id);
  }
  in.run_until([&] { return got == 3; });
  while (db->stats().delivered != 3) (void)in.run(db->status());
  const std::string waits =
      R"(msgbus_durable_waiting_messages{database="shop",destination="billing"} 3)";
  // The figures of the file are some seconds old.
  std::string text;
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (text.find(waits) == std::string::npos && std::chrono::steady_clock::now() < until) {
    (void)in.run(db->status());
    text = figures.prometheus();
  }
  CHECK_THAT(text, contains(waits));
  CHECK_THAT(
      text,
      contains(R"(msgbus_durable_scheduled_messages{database="shop",destination="billing"} 3)"));
  CHECK_THAT(
      text,
      contains(R"(msgbus_durable_transactions_total{database="shop",outcome="committed"} 7)"));
  CHECK_THAT(text,
             contains(R"(msgbus_durable_messages_total{database="shop",outcome="delivered"} 3)"));
  CHECK_THAT(text, contains(R"(msgbus_durable_commits_total{database="shop",at_most="1"} 7)"));
  CHECK_THAT(text, contains(R"(msgbus_durable_dead_letters{database="shop"} 0)"));
  CHECK_THAT(text, contains("msgbus_durable_oldest_seconds{"));
  CHECK_THAT(figures.json(), contains(R"("databases":[{"name":"shop","transactions":)"));
}

TEST_CASE("a host drains a durable database in its turn", "[A10]") {
  durable_fixture all;
  loop& in = all.in;
  const durable_ptr& db = all.db;
  int got = 0;
  all.billing.handler([&](const order_placed&) { ++got; });
  msgbus::async::host program(in.executor());
  program.add("shop", *db);
  program.add("billing", all.billing);
  db->route<order_placed>("billing", all.billing);
  all.place(1);
  all.place_late(1);
  in.run_until([&] { return got == 1; });
  program.stop();
  const msgbus::async::host_report report = in.run(program.run());
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[0].name == "shop");
  CHECK(report.components[0].report.abandoned == 0);
  CHECK(in.run(db->query("select count(*) from msgbus_outbox where due_at is null"))
            .at(0)
            .get<int>(0) == 0);
}

TEST_CASE("routes stand between their database and their consumers and bridges in a graph") {
  loop in;
  const temporary_folder folder;
  const durable_ptr db = open(in, quick(folder.file()));
  const msgbus::memory_broker broker;
  std::optional<msgbus::bridge> over(std::in_place, broker.connect(in.executor()));
  consumer billing(in.executor());
  db->route<order_placed>("billing", billing);
  db->route<order_cancelled>("billing", billing);
  db->route<order_placed>("orders.placed", *over);
  msgbus::graph_source source;
  source.add("shop", *db);
  source.add("nats", *over);
  const msgbus::graph made = source.read();
  const std::string order(msgbus::name_of<order_placed>);
  CHECK_THAT(describe(made), contains("database \"shop\"\n"
                                      "  -> route \"billing\"\n"
                                      "  -> route \"orders.placed\"\n"));
  CHECK_THAT(describe(made),
             contains("route \"billing\", at least once: " + order + ", " +
                      std::string(msgbus::name_of<order_cancelled>) + "\n  -> consumer c3\n"));
  CHECK_THAT(describe(made),
             contains("route \"orders.placed\", at least once: " + order + "\n  sends " + order +
                      " (application/json) on 'orders.placed'\n"
                      "  -> bridge \"nats\"\n"));
  CHECK_THAT(describe(made, msgbus::graph_format::asyncapi),
             contains(R"("send_orders_placed":{"action":"send",)"));
  over.reset();
  CHECK_THAT(describe(source.read()), !contains("bridge"));
}

TEST_CASE("an explanation of an event in a transaction names its routes, and their handlers") {
  loop in;
  const temporary_folder folder;
  const durable_ptr db = open(in, quick(folder.file()));
  const msgbus::memory_broker broker;
  msgbus::bridge over(broker.connect(in.executor()));
  consumer billing(in.executor());
  CHECK_THAT(msgbus::explain<order_placed>(*db), contains("to dispatch it throws no_handler"));
  db->route<order_placed>("billing", billing);
  const msgbus::explanation none = msgbus::explanation_of<order_placed>(*db);
  CHECK_FALSE(none.arrives());
  CHECK_THAT(none.text(), contains("and then becomes a dead letter"));
  billing.handler([](const order_placed&) {});
  billing.handler([](const order_cancelled&) {});
  db->route<order_placed>("orders.placed", over);
  const msgbus::explanation made = msgbus::explanation_of<order_placed>(*db);
  REQUIRE(made.run.size() == 1);
  CHECK(made.others.size() == 1);
  CHECK_THAT(made.text(), contains("the route 'billing' delivers it at least once"));
  CHECK_THAT(made.text(), contains("the route 'orders.placed' stores it in the stream"));
  (void)in.run(db->drain(30s));
  CHECK_THAT(msgbus::explain<order_placed>(*db), contains("the message waits in the file"));
}

}  // namespace figures_test
