// Bad days: the disk fails, or is full. What was refused is nowhere, and work goes on afterwards.

#include <msgbus/durable/database.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/failing_vfs.hpp"

#include <SQLiteCpp/Column.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace faults_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::failing_vfs;
using msgbus_test::loop;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

struct bad_day {
  loop in;
  temporary_folder folder;
  failing_vfs& disk = failing_vfs::instance();
  consumer billing{in.executor()};
  std::multiset<int> handled;
  std::atomic<int> failures{0};  // without a caller
  durable_ptr db;

  bad_day() {
    billing.handler([this](int id) { handled.insert(id); });
    open();
  }
  ~bad_day() { disk.repair(); }

  void open() {
    msgbus::durable::open_options options = quick(folder.file());
    options.synchronous = msgbus::durable::synchronous::full;
    options.vfs = "failing";
    options.on_failure = [this](std::string_view, const std::exception_ptr&) { ++failures; };
    db = msgbus_test::open(in, options);
    in.run(db->transaction([](transaction& t) -> awaitable<void> {
      t.execute("create table if not exists orders (id integer primary key, filling blob)");
      co_return;
    }));
    db->route<int>("billing", billing);
  }
  /// When what is in hand has been marked, which is tried until it succeeds.
  void close() {
    CHECK(in.run(db->drain(30s)));
    db.reset();
  }

  /// So that no message of a later transaction leaves the file before the next `open`.
  void deliver_nothing_more() { CHECK(in.run(db->drain(30s))); }

  msgbus::testing::spawned<void> start(int id) {
    return in.start(db->transaction([id](transaction& t) -> awaitable<void> {
      t.execute("insert into orders values (?, zeroblob(10000))", id);
      t.dispatch(id);
      co_return;
    }));
  }

  /// Places so many at once; those that were committed.
  std::set<int> place(int first, int many) {
    std::vector<msgbus::testing::spawned<void>> running;
    for (int id = first; id < first + many; ++id) running.push_back(start(id));
    std::set<int> committed;
    for (auto& each : running) {
      in.finish(each);
      if (!each.failure()) {
        committed.insert(first);
      } else {
        try {
          each.get();
        } catch (const msgbus::error& e) {
          CHECK(e.code() == msgbus::errc::database_failed);
          CHECK_THAT(e.what(), contains("shop.db") && contains("SQLite"));
        }
      }
      ++first;
    }
    return committed;
  }

  std::set<int> orders() {
    std::set<int> all;
    for (const auto& each : in.run(db->query("select id from orders")))
      all.insert(each.get<int>(0));
    return all;
  }

  /// What was committed, and only that, is there and was delivered, once.
  void check(const std::set<int>& committed) {
    CHECK(orders() == committed);
    in.run_until([&] { return handled.size() >= committed.size(); });
    CHECK(in.run(db->drain(30s)));
    CHECK(std::set<int>(handled.begin(), handled.end()) == committed);
    CHECK(handled.size() == committed.size());
    CHECK(in.run(db->query("select count(*) from msgbus_outbox")).at(0).get<int>(0) == 0);
    db.reset();
    SQLite::Database file(folder.file(), SQLite::OPEN_READWRITE);
    CHECK(file.execAndGet("pragma integrity_check").getString() == "ok");
  }
};

/// Each operation fails in turn: of transactions, of marks, and of the end, which moves the log
/// into the file. Until one is later than all.
void fail_every(failing_vfs::operation which, int code) {
  for (int nth = 1;; ++nth) {
    INFO("the operation that fails: " << nth);
    bad_day all;
    std::set<int> committed = all.place(1, 2);
    all.disk.fail(which, code, nth, 1);
    committed.merge(all.place(10, 3));
    all.close();
    const bool has_failed = all.disk.count() >= nth;
    all.disk.repair();
    all.open();
    committed.merge(all.place(20, 2));
    CHECK(committed.contains(20));
    all.check(committed);
    if (!has_failed) break;
  }
}

/// What a failure of the disk looks like to the caller.
template <class Work>
bool succeeds(Work work) {
  try {
    work();
    return true;
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::database_failed);
    CHECK_THAT(e.what(), contains("shop.db") && contains("SQLite"));
    return false;
  }
}

}  // namespace

TEST_CASE("a write that fails leaves nothing of the refused transaction whichever write it is",
          "[R4]") {
  fail_every(failing_vfs::operation::write, SQLITE_IOERR_WRITE);
}

TEST_CASE("a sync that fails leaves nothing of the refused transaction whichever sync it is",
          "[R4]") {
  fail_every(failing_vfs::operation::sync, SQLITE_IOERR_FSYNC);
}

// After a start, when nothing of the file is in memory: the reads of the start itself, of messages
// that were left, of transactions and of queries.
TEST_CASE("a read that fails loses nothing whichever it is", "[R4]") {
  for (int nth = 1;; ++nth) {
    INFO("the read that fails: " << nth);
    bad_day all;
    std::set<int> committed = all.place(1, 2);
    all.deliver_nothing_more();
    committed.merge(all.place(5, 2));  // left in the file
    all.db.reset();
    all.disk.fail(failing_vfs::operation::read, SQLITE_IOERR_READ, nth, 1);
    if (succeeds([&] { all.open(); })) {
      committed.merge(all.place(10, 3));
      (void)succeeds([&] { (void)all.orders(); });
    }
    if (all.db) all.close();
    const bool has_failed = all.disk.count() >= nth;
    all.disk.repair();
    all.open();
    committed.merge(all.place(20, 2));
    CHECK(committed.contains(20));
    all.check(committed);
    if (!has_failed) break;
  }
}

TEST_CASE("while reads fail transactions and queries are refused and work goes on afterwards",
          "[R4]") {
  bad_day all;
  std::set<int> committed = all.place(1, 3);
  all.close();
  all.open();
  all.disk.fail(failing_vfs::operation::read, SQLITE_IOERR_READ, 1, 1'000'000);
  CHECK(all.place(10, 3).empty());
  CHECK_FALSE(succeeds([&] { (void)all.orders(); }));
  all.disk.repair();
  committed.merge(all.place(20, 3));
  CHECK(committed.size() == 6);
  all.check(committed);
}

TEST_CASE("a full disk is an error at the sender and work goes on when there is space", "[R4]") {
  bad_day all;
  std::set<int> committed = all.place(1, 3);
  all.disk.fail(failing_vfs::operation::write, SQLITE_FULL, 1, 1'000'000);
  committed.merge(all.place(10, 5));
  CHECK(committed.size() == 3);
  all.disk.repair();
  committed.merge(all.place(20, 5));
  CHECK(committed.size() == 8);
  all.check(committed);
}

TEST_CASE("a file that cannot be written is refused and stays as it is", "[R4]") {
  bad_day all;
  const std::set<int> committed = all.place(1, 3);
  all.close();
  all.disk.make_read_only(true);
  CHECK_THROWS_WITH(all.open(), contains("shop.db") && contains("read"));
  all.disk.make_read_only(false);
  all.open();
  all.check(committed);
}

TEST_CASE("a corrupt file is refused with its name", "[R4]") {
  bad_day all;
  (void)all.place(1, 5);
  all.close();
  {
    std::fstream file(all.folder.file(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);  // all but the first page, which has the schema
    for (int i = 0; i < 8; ++i) file << std::string(4096, 'x');
  }
  CHECK_THROWS_WITH(all.open(), contains("shop.db") && contains("malformed"));
}

TEST_CASE("a message that was due while the disk was full comes when there is space", "[R1]") {
  bad_day all;
  all.in.run(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.send_at(std::chrono::system_clock::now() + 1s, 7);  // when the disk is full for sure
    co_return;
  }));
  all.disk.fail(failing_vfs::operation::write, SQLITE_FULL, 1, 1'000'000);
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (all.failures == 0 && std::chrono::steady_clock::now() < until) all.in.poll();
  CHECK(all.failures > 0);
  all.disk.repair();
  all.in.run_until([&] { return all.handled.contains(7); });
  CHECK(all.in.run(all.db->drain(30s)));
  CHECK(all.handled.size() == 1);
}

}  // namespace faults_test
