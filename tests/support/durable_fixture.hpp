#pragma once

// A durable database with invoices, and a consumer whose handlers write them.

#include <msgbus/async/consumer.hpp>
#include <msgbus/durable/unit_of_work.hpp>

#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"

#include <chrono>
#include <string>

namespace msgbus_test {

struct durable_fixture {
  loop in;
  temporary_folder folder;
  msgbus::async::consumer billing{in.executor()};
  durable_ptr db = open(in, quick(folder.file()));

  durable_fixture() {
    in.run(db->transaction([](msgbus::durable::transaction& t) -> asio::awaitable<void> {
      t.execute("create table if not exists invoices (id integer)");
      co_return;
    }));
    billing.override(msgbus::durable::unit_of_work, msgbus::durable::unit_of_work_in(db));
  }
  ~durable_fixture() {
    billing.restore(msgbus::durable::unit_of_work);  // it owns a share of the database
  }

  int count(const std::string& table) {
    return in.run(db->query("select count(*) from " + table)).at(0).get<int>(0);
  }
  int invoices() { return count("invoices"); }
  /// Commits a message.
  void place(int id) {
    in.run(db->transaction([id](msgbus::durable::transaction& t) -> asio::awaitable<void> {
      t.dispatch(order_placed{id, "book"});
      co_return;
    }));
  }
  /// Commits one that is due in an hour.
  void place_late(int id) {
    in.run(db->transaction([id](msgbus::durable::transaction& t) -> asio::awaitable<void> {
      t.send_at(std::chrono::system_clock::now() + std::chrono::hours(1), order_placed{id, "late"});
      co_return;
    }));
  }
  bool drain() { return in.run(db->drain(std::chrono::seconds(30))); }
};

}  // namespace msgbus_test
