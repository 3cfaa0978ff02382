// The machine loses its power, or the end of the log is damaged: a prefix of the commits is there.

#include <msgbus/durable/unit_of_work.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/failing_vfs.hpp"

#include <SQLiteCpp/Column.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace power_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::synchronous;
using msgbus::durable::transaction;
using msgbus_test::disk_image;
using msgbus_test::durable_ptr;
using msgbus_test::failing_vfs;
using msgbus_test::loop;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

/// A process: orders, their messages, and a handler that has its effect once.
struct shop {
  loop in;
  consumer billing{in.executor()};
  durable_ptr db;

  explicit shop(msgbus::durable::open_options options) : db(open(in, std::move(options))) {
    in.run(db->transaction([](transaction& t) -> awaitable<void> {
      t.execute("create table if not exists orders (id integer primary key)");
      t.execute("create table if not exists effects (id integer)");
      co_return;
    }));
    billing.override(msgbus::durable::unit_of_work, msgbus::durable::unit_of_work_in(db));
    billing.handler(
        [](int id, msgbus::depends<msgbus::durable::unit_of_work> t) {
          t->execute("insert into effects values (?)", id);
        },
        {.once = "effects"});
    db->route<int>("billing", billing);
  }
  ~shop() { billing.restore(msgbus::durable::unit_of_work); }

  void place(int id) {
    in.run(db->transaction([id](transaction& t) -> awaitable<void> {
      t.execute("insert into orders values (?)", id);
      t.dispatch(id);
      co_return;
    }));
  }
  int number(const std::string& sql) { return in.run(db->query(sql)).at(0).get<int>(0); }
  void deliver_all() {
    while (number("select count(*) from msgbus_outbox") != 0) {
    }
    CHECK(in.run(db->drain(30s)));
  }
};

/// A disk after a loss of power, and how many orders had been said to be committed.
struct moment {
  disk_image disk;
  int acknowledged;
};

constexpr int orders = 12;

/// What is left when the power goes at random moments.
std::vector<moment> lose_power(synchronous how, unsigned seed, std::size_t most) {
  const temporary_folder folder;
  failing_vfs& disk = failing_vfs::instance();
  std::mt19937 random(seed);
  std::vector<moment> all;
  std::atomic<int> acknowledged{0};
  std::mutex mutex;
  unsigned operations = 0;
  disk.record([&] {
    const std::lock_guard lock(mutex);  // the lock file has another connection
    if (operations++ % 3 != seed % 3 || all.size() >= most) return;
    constexpr double kept[] = {0.0, 0.5, 0.9, 1.0};
    const int before = acknowledged;
    all.push_back({disk.without_power(random, kept[random() % 4]), before});
  });
  msgbus::durable::open_options options = quick(folder.file());
  options.synchronous = how;
  options.vfs = "failing";
  for (int id = 1; id <= orders;) {
    shop one(options);  // its end moves the log into the file
    for (int i = 0; i < orders / 3; ++i) {
      one.place(id++);
      ++acknowledged;
    }
    one.deliver_all();
  }
  disk.stop_recording();
  return all;
}

void write_to(const std::string& to, const disk_image& from) {
  for (const auto& [name, bytes] : from) {
    const std::string file = std::filesystem::path(name).filename().string();
    if (file.ends_with("-owner") || file.ends_with("-owner-journal")) continue;
    std::ofstream(to + file, std::ios::binary) << bytes;
  }
}

/// Opens what is left. Returns how many orders there are: the first ones, each with its effect.
int check(const disk_image& left) {
  const temporary_folder folder;
  write_to(folder.file(""), left);
  int count = 0;
  {
    shop again(quick(folder.file()));
    again.deliver_all();
    count = again.number("select count(*) from orders");
    CHECK(again.number("select coalesce(max(id), 0) from orders") == count);
    CHECK(again.number("select count(*) from effects") == count);
    CHECK(again.number("select count(distinct id) from effects") == count);
    again.place(orders + 1);  // and it goes on
    CHECK(again.in.run(again.db->drain(30s)));
  }
  SQLite::Database file(folder.file(), SQLite::OPEN_READWRITE);
  CHECK(file.execAndGet("pragma integrity_check").getString() == "ok");
  return count;
}

unsigned rounds() {
  const char* const more = std::getenv("MSGBUS_POWER_ROUNDS");
  return more ? static_cast<unsigned>(std::atoi(more)) : 1;
}

}  // namespace

TEST_CASE("a committed transaction survives a loss of power and its messages are delivered",
          "[R1][R2]") {
  for (unsigned seed = 1; seed <= rounds(); ++seed) {
    for (const moment& each : lose_power(synchronous::full, seed, 40)) {
      INFO("seed " << seed << ", acknowledged " << each.acknowledged);
      CHECK(check(each.disk) >= each.acknowledged);
    }
  }
}

TEST_CASE("with less syncing a loss of power leaves a prefix of the commits", "[R1]") {
  for (unsigned seed = 1; seed <= rounds(); ++seed) {
    for (const moment& each : lose_power(synchronous::normal, seed, 20)) {
      INFO("seed " << seed);
      CHECK(check(each.disk) <= orders);
    }
  }
}

TEST_CASE("a log whose last bytes are damaged leaves a prefix of the commits", "[R1]") {
  std::mt19937 random(3);
  // The last moment before the log is moved into the file.
  disk_image whole;
  for (const moment& each : lose_power(synchronous::full, 0, 1000)) {
    for (const auto& [name, bytes] : each.disk) {
      if (!name.ends_with("shop.db-wal") || bytes.size() < 20'000) continue;
      whole = each.disk;
    }
  }
  REQUIRE_FALSE(whole.empty());
  const int before = check(whole);
  for (unsigned i = 0; i < 15 * rounds(); ++i) {
    disk_image damaged = whole;
    for (auto& [name, bytes] : damaged) {
      if (!name.ends_with("shop.db-wal")) continue;
      const std::size_t tail = std::min<std::size_t>(bytes.size(), 30'000);
      const std::size_t at = bytes.size() - 1 - random() % tail;
      INFO("the byte " << at << " of " << bytes.size());
      const auto flipped = static_cast<unsigned char>(1 + random() % 255);
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flipped);
      CHECK(check(damaged) <= before);
    }
  }
}

}  // namespace power_test
