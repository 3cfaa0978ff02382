#include <msgbus/durable/transaction.hpp>

#include <msgbus/durable/database.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/thrown.hpp"

namespace transaction_test {

using asio::awaitable;
using msgbus::errc;
using msgbus::durable::row;
using msgbus::durable::transaction;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

/// A file with a number in it.
struct book {
  loop in;
  temporary_folder folder;
  durable_ptr db;

  explicit book(std::chrono::milliseconds longest = 10s) {
    msgbus::durable::open_options options = quick(folder.file());
    options.transaction_timeout = longest;
    db = open(in, options);
    run("create table numbers (n integer check (n < 1000))");
    run("insert into numbers values (0)");
  }
  void run(const char* sql) {
    in.run(db->transaction([sql](transaction& t) -> awaitable<void> {
      t.execute(sql);
      co_return;
    }));
  }
  int number() { return in.run(db->query("select n from numbers")).at(0).get<int>("n"); }
};

}  // namespace

TEST_CASE("a query sees the statements of its transaction before it", "[R4]") {
  book all;
  int seen = 0;
  auto work = [&](transaction& t) -> awaitable<void> {
    t.execute("update numbers set n = ?", 7);
    const std::vector<row> rows = co_await t.query("select n from numbers where n > ?", 1);
    seen = rows.at(0).get<int>("n");
    t.execute("update numbers set n = n + 1");
  };
  all.in.run(all.db->transaction(work));
  CHECK(seen == 7);
  CHECK(all.number() == 8);
}

TEST_CASE("transactions that read and write do not lose each other's changes", "[R4]") {
  book all;
  auto work = [](transaction& t) -> awaitable<void> {
    const std::vector<row> rows = co_await t.query("select n from numbers");
    co_await msgbus_test::hop(3);
    t.execute("update numbers set n = ?", rows.at(0).get<int>(0) + 1);
  };
  std::vector<msgbus::testing::spawned<void>> running;
  for (int i = 0; i < 20; ++i) running.push_back(all.in.start(all.db->transaction(work)));
  for (auto& each : running) {
    all.in.finish(each);
    each.get();
  }
  CHECK(all.number() == 20);
}

TEST_CASE("a transaction with a query that fails is rolled back as a whole", "[R4]") {
  book all;
  auto work = [](transaction& t) -> awaitable<void> {
    t.execute("update numbers set n = 5");
    (void)co_await t.query("select n from nowhere");
  };
  CHECK_THROWS_WITH(all.in.run(all.db->transaction(work)), contains("no such table"));
  auto caught = [](transaction& t) -> awaitable<void> {
    t.execute("update numbers set n = 5");
    try {
      (void)co_await t.query("update numbers set n = 5000");
    } catch (const msgbus::error&) {
      t.execute("update numbers set n = 6");
    }
  };
  CHECK_THROWS_WITH(all.in.run(all.db->transaction(caught)), contains("CHECK"));
  CHECK(all.number() == 0);
}

TEST_CASE("a transaction that keeps others waiting for too long is rolled back", "[R4]") {
  book all(1ms);
  auto work = [&](transaction& t) -> awaitable<void> {
    (void)co_await t.query("update numbers set n = 5");
    auto other = all.db->transaction([](transaction& inner) -> awaitable<void> {
      inner.execute("update numbers set n = n + 10");
      co_return;
    });
    co_await std::move(other);  // waits for this one
  };
  CHECK(code_of([&] { all.in.run(all.db->transaction(work)); }) == errc::timed_out);
  CHECK(all.number() == 10);
}

TEST_CASE("a cancelled transaction is rolled back", "[R4]") {
  book all;
  msgbus_test::gate never;
  auto work = [&](transaction& t) -> awaitable<void> {
    (void)co_await t.query("update numbers set n = 5");
    co_await never.wait();
  };
  auto running = all.in.start(all.db->transaction(work));
  all.in.run_until([&] { return never.came() == 1; });
  running.cancel();
  all.in.finish(running);
  CHECK(msgbus_test::is_aborted(running.failure()));
  all.run("update numbers set n = n + 1");
  CHECK(all.number() == 1);
}

TEST_CASE("a transaction that is aborted commits nothing, though its work has returned", "[R4]") {
  const bool asks_first = GENERATE(false, true);
  INFO("a query first: " << asks_first);
  book all;
  msgbus_test::gate never;
  auto work = [&](transaction& t) -> awaitable<void> {
    if (asks_first) (void)co_await t.query("select n from numbers");
    t.execute("update numbers set n = 5");
    try {
      co_await never.wait();
    } catch (const std::system_error& aborted) {
      CHECK(aborted.code() == asio::error::operation_aborted);
    }
  };
  auto running = all.in.start(all.db->transaction(work));
  all.in.run_until([&] { return never.came() == 1; });
  running.cancel();
  all.in.finish(running);
  CHECK(msgbus_test::is_aborted(running.failure()));
  all.run("update numbers set n = n + 1");
  CHECK(all.number() == 1);
}

TEST_CASE("statements that would end the transaction of others are refused", "[R4]") {
  book all;
  for (const char* const sql : {"commit", "rollback", "begin", "savepoint a", "pragma user_version",
                                "attach 'x.db' as x"}) {
    INFO(sql);
    CHECK_THROWS_WITH(all.run(sql), contains("not authorized") && contains("SAVEPOINT"));
  }
  CHECK_THROWS_WITH(all.run("select 1; select 2"), contains("more than one statement"));
  CHECK_THROWS_WITH(all.run("select ?"), contains("1 parameters") && contains("0 arguments"));
  CHECK_THROWS_WITH(all.run(""), contains("no statement"));
}

TEST_CASE("a statement that rolls back by itself fails alone", "[R4]") {
  book all;
  auto bad = all.in.start(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("update or rollback numbers set n = 5000");
    co_return;
  }));
  auto good = all.in.start(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.execute("update numbers set n = n + 1");
    co_return;
  }));
  all.in.finish(bad);
  all.in.finish(good);
  CHECK_THROWS_WITH(bad.get(), contains("CHECK"));
  CHECK_NOTHROW(good.get());
  CHECK(all.number() == 1);
}

TEST_CASE("a statement that fails halfway leaves nothing", "[R4]") {
  book all;
  all.run("insert into numbers values (500)");
  const char* const halfway = "update or fail numbers set n = n + 600";
  const auto sum = [&] { return all.in.run(all.db->query("select sum(n) from numbers")); };
  CHECK_THROWS_WITH(all.run(halfway), contains("CHECK"));
  CHECK(sum().at(0).get<int>(0) == 500);
  std::vector<msgbus::testing::spawned<void>> running;
  for (const char* const sql :
       {"update numbers set n = n + 1", halfway, "update numbers set n = n + 2"}) {
    running.push_back(all.in.start(all.db->transaction([sql](transaction& t) -> awaitable<void> {
      t.execute(sql);
      co_return;
    })));
  }
  for (auto& each : running) all.in.finish(each);
  CHECK_NOTHROW(running[0].get());
  CHECK_THROWS_WITH(running[1].get(), contains("CHECK"));
  CHECK_NOTHROW(running[2].get());
  CHECK(sum().at(0).get<int>(0) == 506);
}

TEST_CASE("a query that waits for its turn is refused when the database is destroyed", "[R4]") {
  book all;
  msgbus_test::gate never;
  auto work = [&](transaction& t) -> awaitable<void> {
    (void)co_await t.query("update numbers set n = 5");
    co_await never.wait();
  };
  auto first = all.in.start(all.db->transaction(work));
  all.in.run_until([&] { return never.came() == 1; });
  auto second = all.in.start(all.db->transaction(work));
  all.in.poll();
  all.db.reset();
  all.in.finish(second);
  CHECK(code_of([&] { second.get(); }) == errc::closed);
  never.open();
  all.in.finish(first);
  CHECK(code_of([&] { first.get(); }) == errc::closed);
}

TEST_CASE("transactions of several coroutines are committed together", "[R4]") {
  book all;
  const auto before = all.db->stats().commits;
  std::vector<msgbus::testing::spawned<void>> running;
  for (int i = 0; i < 400; ++i) {
    running.push_back(all.in.start(all.db->transaction([](transaction& t) -> awaitable<void> {
      t.execute("update numbers set n = n + 1");
      co_return;
    })));
  }
  for (auto& each : running) all.in.finish(each);
  CHECK(all.number() == 400);
  CHECK(all.db->stats().commits - before < 400);
}

}  // namespace transaction_test
