// What metrics and a host see of a durable database.

#include <msgbus/durable/database.hpp>

#include <msgbus/async/host.hpp>
#include <msgbus/metrics.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"
#include "support/loop.hpp"

#include <string>

namespace figures_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

void place(loop& in, const durable_ptr& db, int id) {
  in.run(db->transaction([id](transaction& t) -> awaitable<void> {
    t.dispatch(order_placed{id, "book"});
    t.send_at(std::chrono::system_clock::now() + 1h, order_placed{id, "late"});
    co_return;
  }));
}

}  // namespace

TEST_CASE("metrics show the work of a durable database and the waiting messages of its file",
          "[O2]") {
  loop in;
  const temporary_folder folder;
  const durable_ptr db = open(in, quick(folder.file()));
  consumer billing(in.executor());
  int got = 0;
  billing.handler([&](const order_placed&) { ++got; });
  db->route<order_placed>("billing", billing);
  msgbus::metrics figures;
  figures.add("shop", *db);
  for (int id = 1; id <= 3; ++id) place(in, db, id);
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
      contains(R"(msgbus_durable_transactions_total{database="shop",outcome="committed"} 3)"));
  CHECK_THAT(text,
             contains(R"(msgbus_durable_messages_total{database="shop",outcome="delivered"} 3)"));
  CHECK_THAT(text, contains(R"(msgbus_durable_commits_total{database="shop",at_most="1"} 3)"));
  CHECK_THAT(text, contains(R"(msgbus_durable_dead_letters{database="shop"} 0)"));
  CHECK_THAT(text, contains("msgbus_durable_oldest_seconds{"));
  CHECK_THAT(figures.json(), contains(R"("databases":[{"name":"shop","transactions":)"));
}

TEST_CASE("a host drains a durable database in its turn", "[A10]") {
  loop in;
  const temporary_folder folder;
  const durable_ptr db = open(in, quick(folder.file()));
  consumer billing(in.executor());
  int got = 0;
  billing.handler([&](const order_placed&) { ++got; });
  msgbus::async::host all(in.executor());
  all.add("shop", *db);
  all.add("billing", billing);
  db->route<order_placed>("billing", billing);
  place(in, db, 1);
  in.run_until([&] { return got == 1; });
  all.stop();
  const msgbus::async::host_report report = in.run(all.run());
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[0].name == "shop");
  CHECK(report.components[0].report.abandoned == 0);
  CHECK(in.run(db->query("select count(*) from msgbus_outbox where due_at is null"))
            .at(0)
            .get<int>(0) == 0);
}

}  // namespace figures_test
