// Messages that are committed with a program's own rows: delivered, in order, once.

#include <msgbus/durable/database.hpp>

#include <msgbus/context.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"
#include "support/thrown.hpp"

#include <filesystem>
#include <stdexcept>
#include <vector>

namespace database_test {

using asio::awaitable;
using msgbus::context;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_cancelled;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

void make_table(loop& in, const durable_ptr& db) {
  in.run(db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("create table if not exists orders (id integer primary key, item text)");
    co_return;
  }));
}

void place(loop& in, const durable_ptr& db, int id) {
  in.run(db->transaction([id](transaction& t) -> awaitable<void> {
    t.execute("insert into orders values (?, ?)", id, "book");
    t.dispatch(order_placed{id, "book"});
    co_return;
  }));
}

std::int64_t count(loop& in, const durable_ptr& db, std::string table) {
  return in.run(db->query("select count(*) from " + table)).at(0).get<std::int64_t>(0);
}

/// A file, and a consumer with a list of what it got.
struct shop {
  loop in;
  temporary_folder folder;
  consumer billing{in.executor()};
  std::vector<int> got;

  shop() {
    billing.handler([this](const order_placed& event) { got.push_back(event.id); });
  }
  durable_ptr open() {
    durable_ptr db = msgbus_test::open(in, quick(folder.file()));
    make_table(in, db);
    return db;
  }
  durable_ptr open_with_route() {
    durable_ptr db = open();
    db->route<order_placed>("billing", billing);
    return db;
  }
  void until(std::size_t size) {
    in.run_until([&] { return got.size() >= size; });
  }
};

}  // namespace

TEST_CASE("messages of a transaction are delivered after its commit and then removed", "[R1][R3]") {
  shop all;
  const durable_ptr db = all.open_with_route();
  for (int i = 1; i <= 20; ++i) place(all.in, db, i);
  all.until(20);
  CHECK(all.got ==
        std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  CHECK(all.in.run(db->drain(30s)));
  CHECK(count(all.in, db, "orders") == 20);
  CHECK(count(all.in, db, "msgbus_outbox") == 0);
  CHECK(db->stats().delivered == 20);
  CHECK(db->stats().dispatched == 20);
  CHECK(db->stats().in_flight == 0);
}

TEST_CASE("a transaction that throws leaves nothing and sends nothing", "[R1][R4]") {
  shop all;
  const durable_ptr db = all.open_with_route();
  CHECK_THROWS_WITH(all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("insert into orders values (1, 'book')");
    t.dispatch(order_placed{1, "book"});
    throw std::runtime_error("no stock");
    co_return;
  })),
                    contains("no stock"));
  place(all.in, db, 2);
  all.until(1);
  CHECK(all.got == std::vector<int>{2});
  CHECK(count(all.in, db, "orders") == 1);
}

TEST_CASE("a statement that fails undoes its transaction only", "[R4]") {
  shop all;
  const durable_ptr db = all.open_with_route();
  place(all.in, db, 1);
  auto again = all.in.start(db->transaction([](transaction& t) -> awaitable<void> {
    t.dispatch(order_placed{99, "never"});
    t.execute("insert into orders values (1, 'again')");
    co_return;
  }));
  auto other = all.in.start(db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("insert into orders values (2, 'other')");
    t.dispatch(order_placed{2, "other"});
    co_return;
  }));
  all.in.finish(again);
  all.in.finish(other);
  CHECK_THROWS_WITH(again.get(), contains("UNIQUE") && contains("insert into orders"));
  CHECK_NOTHROW(other.get());
  all.until(2);
  CHECK(all.got == std::vector<int>{1, 2});
  CHECK(count(all.in, db, "orders") == 2);
}

TEST_CASE("messages that were committed before the start are delivered by it in order",
          "[R1][R3]") {
  shop all;
  {
    const durable_ptr db = all.open();
    consumer elsewhere(all.in.executor());
    db->route<order_placed>("billing", elsewhere);
    CHECK(all.in.run(db->drain(0s)));
    for (int i = 1; i <= 5; ++i) place(all.in, db, i);
  }
  const durable_ptr db = all.open_with_route();
  place(all.in, db, 6);
  all.until(6);
  CHECK(all.got == std::vector<int>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("a closed database has delivered nothing twice after a drain", "[R2]") {
  shop all;
  {
    const durable_ptr db = all.open_with_route();
    for (int i = 1; i <= 3; ++i) place(all.in, db, i);
    all.until(3);
    CHECK(all.in.run(db->drain(30s)));
  }
  const durable_ptr db = all.open_with_route();
  place(all.in, db, 4);
  all.until(4);
  CHECK(all.got == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("a message goes to every route of its type", "[R1]") {
  shop all;
  const durable_ptr db = all.open_with_route();
  consumer shipping(all.in.executor());
  std::vector<int> shipped;
  shipping.handler([&](const order_placed& event) { shipped.push_back(event.id); });
  db->route<order_placed>("shipping", shipping);
  place(all.in, db, 1);
  all.in.run_until([&] { return !shipped.empty() && !all.got.empty(); });
  CHECK(shipped == all.got);
}

TEST_CASE("a route keeps the order of commits when its window is smaller than the backlog",
          "[R3]") {
  shop all;
  msgbus::durable::open_options options = quick(all.folder.file());
  options.max_in_flight = 3;
  const durable_ptr db = open(all.in, options);
  make_table(all.in, db);
  db->route<order_placed>("billing", all.billing);
  std::vector<int> expected;
  for (int i = 1; i <= 50; ++i) {
    place(all.in, db, i);
    expected.push_back(i);
  }
  all.until(50);
  CHECK(all.got == expected);
  CHECK(db->stats().in_flight <= 3);
}

TEST_CASE("a failed message comes again and holds up no other", "[R3]") {
  shop all;
  consumer flaky(all.in.executor());
  std::vector<int> tries;
  std::vector<unsigned> attempts;
  flaky.handler([&](const order_cancelled& event, const context& ctx) {
    tries.push_back(event.id);
    if (event.id == 1) attempts.push_back(ctx.attempt());
    if (event.id == 1 && attempts.size() < 3) throw std::runtime_error("not yet");
  });
  const durable_ptr db = all.open();
  db->route<order_cancelled>("flaky", flaky);
  all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
    t.dispatch(order_cancelled{1});
    t.dispatch(order_cancelled{2});
    co_return;
  }));
  all.in.run_until([&] { return attempts.size() == 3; });
  CHECK(tries == std::vector<int>{1, 2, 1, 1});
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  CHECK(all.in.run(db->drain(30s)));
  CHECK(count(all.in, db, "msgbus_outbox") == 0);
  CHECK(count(all.in, db, "msgbus_dead") == 0);
}

TEST_CASE("a scheduled message survives a start and comes when it is due", "[R1]") {
  shop all;
  {
    const durable_ptr db = all.open_with_route();
    place(all.in, db, 1);
    all.until(1);  // on a busy machine, what is due soon is due before the commit
    all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
      t.send_at(std::chrono::system_clock::now() + 1h, order_placed{9, "late"});
      t.send_at(std::chrono::system_clock::now() + 100ms, order_placed{2, "soon"});
      co_return;
    }));
    CHECK(all.in.run(db->drain(30s)));
  }
  const durable_ptr db = all.open_with_route();
  all.until(2);
  CHECK(all.got == std::vector<int>{1, 2});
  CHECK(all.in.run(db->drain(30s)));
  CHECK(count(all.in, db, "msgbus_outbox") == 1);
}

TEST_CASE("a message whose type has no route is refused", "[R1]") {
  shop all;
  const durable_ptr db = all.open();
  CHECK(code_of([&] { place(all.in, db, 1); }) == errc::no_handler);
  CHECK(count(all.in, db, "orders") == 0);
}

TEST_CASE("a route of one name leads to one consumer", "[R1]") {
  shop all;
  const durable_ptr db = all.open_with_route();
  consumer other(all.in.executor());
  CHECK_THROWS_WITH(db->route<order_placed>("billing", other), contains("'billing'"));
  CHECK(code_of([&] { db->route<order_placed>("", other); }) == errc::bad_arguments);
}

TEST_CASE("a file has one owner at a time", "[R4]") {
  shop all;
  {
    const durable_ptr db = all.open();
    CHECK_THROWS_WITH(all.open(), contains("one owner at a time"));
  }
  CHECK_NOTHROW(all.open());
}

TEST_CASE("a file of a newer version is refused and stays as it is", "[R4]") {
  shop all;
  {
    const durable_ptr db = all.open();
    all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
      t.execute("update msgbus_meta set number = 99 where name = 'version'");
      co_return;
    }));
  }
  CHECK(code_of([&] { all.open(); }) == errc::unsupported);
  CHECK_THROWS_WITH(all.open(), contains("version 99") && contains("newer"));
}

TEST_CASE("a process that is no longer the owner is refused", "[R4]") {
  shop all;
  const durable_ptr db = all.open();
  all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("update msgbus_meta set number = number + 1 where name = 'epoch'");
    co_return;
  }));
  CHECK_THROWS_WITH(all.in.run(db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("insert into orders values (1, 'x')");
    co_return;
  })),
                    contains("another owner"));
}

TEST_CASE("a locked file is an error and work goes on when the lock is gone", "[R4]") {
  shop all;
  msgbus::durable::open_options options = quick(all.folder.file());
  options.busy_timeout = 1ms;
  const durable_ptr db = open(all.in, options);
  make_table(all.in, db);
  db->route<order_placed>("billing", all.billing);
  {
    // The owner of a second file may still be another program's connection to the first.
    const std::string path = all.folder.file();
    const msgbus_test::raw_lock lock(path);
    CHECK_THROWS_WITH(place(all.in, db, 1), contains("locked"));
  }
  place(all.in, db, 2);
  all.until(1);
  CHECK(all.got == std::vector<int>{2});
}

TEST_CASE("a destroyed database refuses later transactions", "[R4]") {
  shop all;
  durable_ptr db = all.open_with_route();
  auto work = [](transaction& t) -> awaitable<void> {
    t.execute("insert into orders values (1, 'x')");
    co_await msgbus_test::hop(3);
  };
  auto late = all.in.start(db->transaction(work));
  all.in.poll();
  db.reset();
  all.in.finish(late);
  CHECK(all.open() != nullptr);
}

TEST_CASE("a context that ends takes its transactions with it", "[R4]") {
  temporary_folder folder;
  durable_ptr db;
  {
    loop in;
    db = open(in, quick(folder.file()));
    make_table(in, db);
    auto work = [](transaction& t) -> awaitable<void> {
      (void)co_await t.query("select * from orders");
      co_await msgbus_test::hop(1000);
    };
    auto cut = in.start(db->transaction(work));
    in.poll();
    in.destroy();
  }
  db.reset();
  loop in;
  CHECK_NOTHROW(make_table(in, open(in, quick(folder.file()))));
}

TEST_CASE("open takes a context where it takes an executor") {
  temporary_folder folder;
  asio::io_context io;
  auto opening = msgbus::durable::open(io, quick(folder.file()));
  msgbus::testing::spawned<durable_ptr> opened(io, std::move(opening));
  io.run();
  CHECK(opened.get() != nullptr);
}

}  // namespace database_test
