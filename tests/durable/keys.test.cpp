// Routes to consumers with keys: a message that cannot be delivered holds up its key only.

#include <msgbus/durable/database.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/durable_files.hpp"
#include "support/durable_shop.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace keys_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::durable::transaction;
using msgbus_test::durable_ptr;
using msgbus_test::loop;
using msgbus_test::order_placed;
using msgbus_test::quick;
using msgbus_test::temporary_folder;
using namespace std::chrono_literals;

namespace {

/// A consumer with an order for each item.
struct shop {
  loop in;
  temporary_folder folder;
  durable_ptr db;
  consumer billing;
  std::vector<int> got;
  int failures = 0;  // of order 1, before it succeeds

  explicit shop(std::size_t loops = 4) : billing(in.executor(), {.concurrency = loops}) {
    billing.ordered_by<order_placed>([](const order_placed& event) { return event.item; });
    billing.handler([this](const order_placed& event) {
      if (event.id == 1 && failures != 0) {
        --failures;
        throw std::runtime_error("not now");
      }
      got.push_back(event.id);
    });
  }
  void open(msgbus::durable::open_options options) {
    db = msgbus_test::open(in, std::move(options));
    db->route<order_placed>("billing", billing);
  }
  void open() { open(quick(folder.file())); }
  /// One transaction for all of them.
  void place(std::vector<order_placed> all) {
    in.run(db->transaction([&](transaction& t) -> awaitable<void> {
      for (const order_placed& each : all) t.dispatch(each);
      co_return;
    }));
  }
  void until(std::size_t size) {
    in.run_until([&] { return got.size() >= size; });
  }
  [[nodiscard]] std::ptrdiff_t index_of(int id) const {
    return std::find(got.begin(), got.end(), id) - got.begin();
  }
};

}  // namespace

TEST_CASE("a message that fails and comes again keeps its place among those of its key",
          "[R3][P5]") {
  shop all(GENERATE(std::size_t{1}, std::size_t{4}));
  all.failures = 2;
  all.open();
  all.place({{1, "a"}, {2, "a"}, {3, "b"}, {4, "a"}, {5, "b"}});
  all.until(5);
  CHECK(all.index_of(1) < all.index_of(2));
  CHECK(all.index_of(2) < all.index_of(4));
  CHECK(all.index_of(3) < all.index_of(5));
  CHECK(all.index_of(5) < all.index_of(1));  // the other key has not waited
  CHECK(all.in.run(all.db->drain(30s)));
  CHECK(all.db->stats().retried == 2);
  CHECK(all.in.run(all.db->query("select count(*) from msgbus_outbox")).at(0).get<int>(0) == 0);
}

TEST_CASE("a message that always fails is a dead letter and then its key goes on", "[R3]") {
  shop all;
  all.failures = 1000;
  all.open();
  all.place({{1, "a"}, {2, "a"}, {3, "b"}});
  all.until(2);
  CHECK(all.got == std::vector<int>{3, 2});
  CHECK(all.in.run(all.db->drain(30s)));
  CHECK(all.db->stats().dead_lettered == 1);
}

TEST_CASE("more messages of a slow key than fit into memory hold up no other key", "[R3]") {
  shop all;
  msgbus_test::gate slow;
  consumer packing(all.in.executor(), {.concurrency = 4});
  packing.ordered_by<order_placed>([](const order_placed& event) { return event.item; });
  packing.handler([&](const order_placed& event) -> awaitable<void> {
    const int id = event.id;
    if (id == 1) co_await slow.wait();
    all.got.push_back(id);
  });
  msgbus::durable::open_options options = quick(all.folder.file());
  options.max_in_flight = 16;
  all.db = msgbus_test::open(all.in, options);
  all.db->route<order_placed>("packing", packing);
  std::vector<order_placed> many;
  for (int id = 1; id <= 100; ++id) many.push_back({id, "a"});
  for (int id = 101; id <= 150; ++id) many.push_back({id, std::to_string(id % 5)});
  all.place(many);
  all.until(50);
  CHECK(std::all_of(all.got.begin(), all.got.end(), [](int id) { return id > 100; }));
  slow.open();
  all.until(150);
  CHECK(std::is_sorted(all.got.begin() + 50, all.got.end()));
  CHECK(all.in.run(all.db->drain(30s)));
}

TEST_CASE("the next start delivers the messages of a key in their order", "[R1][R3]") {
  shop all;
  all.failures = 1;
  msgbus::durable::open_options options = quick(all.folder.file());
  options.retry.backoff = 1h;
  options.retry.max_backoff = 1h;
  all.open(options);
  all.place({{1, "a"}, {2, "a"}, {3, "b"}});
  all.until(1);
  while (all.db->stats().retried == 0) (void)all.in.run(all.db->status());
  all.db.reset();
  CHECK(all.got == std::vector<int>{3});
  all.open();
  all.until(3);
  CHECK(all.got == std::vector<int>{3, 1, 2});
  CHECK(all.in.run(all.db->drain(30s)));
}

}  // namespace keys_test
