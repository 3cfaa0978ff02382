// A transaction around a handler, and effects that happen once.

#include <msgbus/durable/unit_of_work.hpp>

#include <msgbus/context.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"
#include "support/thrown.hpp"

#include <stdexcept>

namespace unit_of_work_test {

using asio::awaitable;
using msgbus::context;
using msgbus::depends;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus::durable::unit_of_work;
using msgbus::durable::unit_of_work_in;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

namespace {

struct billed {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(billed, id)

struct office {
  loop in;
  temporary_folder folder;
  consumer billing{in.executor()};
  consumer ledger{in.executor()};
  int lines = 0;
  durable_ptr db = open(in, quick(folder.file()));

  office() {
    in.run(db->transaction([](transaction& t) -> awaitable<void> {
      t.execute("create table if not exists invoices (id integer)");
      co_return;
    }));
    billing.override(unit_of_work, unit_of_work_in(db));
    ledger.handler([this](const billed&) { ++lines; });
    db->route<billed>("ledger", ledger);
  }
  ~office() {
    billing.override(unit_of_work, unit_of_work_in(db));
    billing.restore(unit_of_work);  // it owns a share of the database
  }
  int invoices() { return in.run(db->query("select count(*) from invoices")).at(0).get<int>(0); }
};

}  // namespace

TEST_CASE("a handler's statements and messages are committed when it has ended well", "[R1]") {
  office all;
  all.billing.handler([](const order_placed& event, depends<unit_of_work> t) -> awaitable<void> {
    t->execute("insert into invoices values (?)", event.id);
    co_await msgbus_test::hop(2);
    t->dispatch(billed{event.id});
  });
  CHECK(all.in.run(all.billing.consume<order_placed>(1, "book")) == 1);
  CHECK(all.invoices() == 1);
  all.in.run_until([&] { return all.lines == 1; });
}

TEST_CASE("a handler that fails leaves nothing", "[R1][R4]") {
  office all;
  all.billing.handler([](const order_placed& event, depends<unit_of_work> t) {
    t->execute("insert into invoices values (?)", event.id);
    t->dispatch(billed{event.id});
    throw std::runtime_error("no paper");
  });
  CHECK_THROWS_WITH(all.in.run(all.billing.consume<order_placed>(1, "book")), contains("no paper"));
  CHECK(all.invoices() == 0);
  CHECK(all.db->stats().dispatched == 0);
}

TEST_CASE("a commit that fails is the failure of the handler", "[R4]") {
  office all;
  all.billing.handler([](const order_placed&, depends<unit_of_work> t) {
    t->execute("insert into nowhere values (1)");
  });
  CHECK_THROWS_WITH(all.in.run(all.billing.consume<order_placed>(1, "book")),
                    contains("no such table"));
}

TEST_CASE("a handler that asks for once has its effect once however often its message comes",
          "[R2]") {
  office all;
  int runs = 0;
  all.billing.handler([&](const order_placed& event, depends<unit_of_work> t,
                          const context& ctx) -> awaitable<void> {
    ++runs;
    auto first = t->once(ctx, "billing");
    if (!co_await std::move(first)) co_return;
    t->execute("insert into invoices values (?)", event.id);
  });
  // The second fails after the first has committed, so the message comes again.
  all.billing.handler([&](const order_placed&) {
    if (runs < 3) throw std::runtime_error("no ink");
  });
  all.db->route<order_placed>("billing", all.billing);
  all.in.run(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.dispatch(order_placed{1, "book"});
    co_return;
  }));
  all.in.run_until([&] { return runs == 3; });
  CHECK(all.in.run(all.db->drain(std::chrono::seconds(30))));
  CHECK(all.invoices() == 1);
  CHECK(all.in.run(all.db->query("select count(*) from msgbus_inbox")).at(0).get<int>(0) == 1);
}

TEST_CASE("a message without an id cannot be handled once", "[R2]") {
  office all;
  all.billing.handler(
      [](const order_placed&, depends<unit_of_work> t, const context& ctx) -> awaitable<void> {
        auto first = t->once(ctx, "billing");
        (void)co_await std::move(first);
      });
  CHECK(code_of([&] { all.in.run(all.billing.consume<order_placed>(1, "book")); }) ==
        errc::bad_arguments);
}

}  // namespace unit_of_work_test
