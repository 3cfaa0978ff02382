// A transaction around a handler, and effects that happen once.

#include <msgbus/durable/unit_of_work.hpp>

#include <msgbus/context.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_fixture.hpp"
#include "support/thrown.hpp"

#include <stdexcept>

namespace unit_of_work_test {

using asio::awaitable;
using msgbus::context;
using msgbus::depends;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::durable::unit_of_work;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::order_placed;

namespace {

struct billed {
  int id = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(billed, id)

struct office : msgbus_test::durable_fixture {
  consumer ledger{in.executor()};
  int lines = 0;

  office() {
    ledger.handler([this](const billed&) { ++lines; });
    db->route<billed>("ledger", ledger);
  }
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

TEST_CASE("a handler that is cancelled leaves nothing", "[R1][R4]") {
  office all;
  msgbus_test::gate never;
  all.billing.handler([&](const order_placed& event, depends<unit_of_work> t) -> awaitable<void> {
    t->execute("insert into invoices values (?)", event.id);
    t->dispatch(billed{event.id});
    co_await never.wait();
  });
  auto running = all.in.start(all.billing.consume<order_placed>(1, "book"));
  all.in.run_until([&] { return never.came() == 1; });
  running.cancel();
  all.in.finish(running);
  CHECK(msgbus_test::is_aborted(running.failure()));
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
  all.place(1);
  all.in.run_until([&] { return runs == 3; });
  CHECK(all.drain());
  CHECK(all.invoices() == 1);
  CHECK(all.count("msgbus_inbox") == 1);
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
