#include <msgbus/durable/dead_letter.hpp>

#include <msgbus/durable/database.hpp>

#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"

#include <sstream>

namespace dead_letter_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::dead_letter;
using msgbus::durable::transaction;
using msgbus_test::contains;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_cancelled;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;

namespace {

/// A consumer that fails until it is repaired.
struct broken_shop {
  loop in;
  temporary_folder folder;
  consumer billing{in.executor()};
  int runs = 0;
  int handled = 0;
  bool repaired = false;
  durable_ptr db = open(in, quick(folder.file()));

  broken_shop() {
    billing.handler([this](const order_placed&) {
      ++runs;
      if (!repaired) throw std::runtime_error("the till is broken");
      ++handled;
    });
    db->route<order_placed>("billing", billing);
  }
  void place(int id) {
    in.run(db->transaction([id](transaction& t) -> awaitable<void> {
      t.dispatch(order_placed{id, "book"});
      co_return;
    }));
  }
  std::vector<dead_letter> letters(std::size_t size) {
    const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
    for (;;) {
      std::vector<dead_letter> all = in.run(db->dead_letters());
      if (all.size() == size) return all;
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("waited too long");
    }
  }
};

}  // namespace

TEST_CASE("a message that fails with every attempt is a dead letter", "[R3]") {
  broken_shop all;
  all.place(7);
  const dead_letter letter = all.letters(1).at(0);
  CHECK(all.runs == 3);
  CHECK(letter.attempts == 3);
  CHECK(letter.destination == "billing");
  CHECK(letter.type == msgbus::name_of<order_placed>);
  CHECK_THAT(letter.reason, contains("the till is broken"));
  CHECK_THAT(letter.body, contains("\"id\":7"));
  CHECK_FALSE(letter.message_id.empty());
  std::ostringstream out;
  out << letter;
  CHECK_THAT(out.str(), contains(".destination = \"billing\""));
}

TEST_CASE("a replayed dead letter is delivered with fresh attempts", "[R1]") {
  broken_shop all;
  all.place(1);
  const std::int64_t first = all.letters(1).at(0).id;
  CHECK(all.in.run(all.db->replay(first)));
  const dead_letter again = all.letters(1).at(0);
  CHECK(again.id != first);
  CHECK(again.attempts == 3);
  all.repaired = true;
  CHECK(all.in.run(all.db->replay(again.id)));
  all.in.run_until([&] { return all.handled == 1; });
  CHECK(all.letters(0).empty());
  CHECK_FALSE(all.in.run(all.db->replay(again.id)));
}

TEST_CASE("a discarded dead letter is gone", "[R3]") {
  broken_shop all;
  all.place(1);
  const std::int64_t id = all.letters(1).at(0).id;
  CHECK(all.in.run(all.db->discard(id)));
  CHECK_FALSE(all.in.run(all.db->discard(id)));
  CHECK(all.letters(0).empty());
}

TEST_CASE("a message that cannot be decoded is a dead letter at once and holds up nobody", "[R3]") {
  broken_shop all;
  all.repaired = true;
  all.in.run(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.execute(
        "insert into msgbus_outbox (seq, id, destination, type, headers, body, owner)"
        " values (1000000, 'x', 'billing', ?, '', 'nonsense', 0)",
        msgbus::name_of<order_placed>);
    co_return;
  }));
  all.db.reset();
  all.db = open(all.in, quick(all.folder.file()));
  all.db->route<order_placed>("billing", all.billing);
  all.place(2);
  all.in.run_until([&] { return all.handled == 1; });
  const dead_letter letter = all.letters(1).at(0);
  CHECK(letter.message_id == "x");
  CHECK_THAT(letter.reason, contains("order_placed"));
}

TEST_CASE("a message without a handler is tried again and kept", "[R1]") {
  broken_shop all;
  consumer deaf(all.in.executor());
  all.db->route<order_cancelled>("deaf", deaf);
  all.in.run(all.db->transaction([](transaction& t) -> awaitable<void> {
    t.dispatch(order_cancelled{1});
    co_return;
  }));
  CHECK_THAT(all.letters(1).at(0).reason, contains("no handler"));
}

}  // namespace dead_letter_test
