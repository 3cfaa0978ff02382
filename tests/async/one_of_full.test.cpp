// One of several components is chosen for a message, and some of them are full or closed.

#include "support/one_of_shops.hpp"

#include <msgbus/testing/cut_off.hpp>

#include <asio/thread_pool.hpp>

#include <atomic>
#include <numeric>
#include <random>

namespace one_of_full_test {

using asio::awaitable;
using msgbus::by_key;
using msgbus::overflow;
using msgbus::pick;
using msgbus::pick_options;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus_test::shops;
using order = msgbus_test::shop_order;
using counts = std::array<std::size_t, 3>;
using namespace std::chrono_literals;

namespace {

const auto account_of = [](const order& o) { return o.account; };

}  // namespace

TEST_CASE("one that is full is passed over, whatever its overflow policy", "[A6]") {
  for (const auto on_full :
       {overflow::suspend, overflow::reject, overflow::drop_newest, overflow::drop_oldest}) {
    INFO(on_full);
    shops s({.capacity = 2, .on_full = on_full}, std::nullopt);
    consumer large(s.context.get_executor(), {.capacity = 100});
    large.observe(s.watching);
    std::size_t handled = 0;
    large.handler([&](const order&) { ++handled; });
    s.orders.bind_one_of(*s.all[0], large);
    for (int i = 0; i < 20; ++i) CHECK(s.post() == receipt{.admitted = 1});
    CHECK(s.all[0]->waiting() == 2);
    CHECK(large.waiting() == 18);
    s.context.run();
    CHECK(s.all[0]->stats().dropped == 0);
    CHECK(handled == 18);
  }
}

TEST_CASE("by key, one that is full is not passed over", "[P5][A6]") {
  shops s({.capacity = 2}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  for (int i = 0; i < 2; ++i) CHECK(s.post(1, i).admitted == 1);
  CHECK(s.post(1, 2).rejected == 1);
  auto waits = s.context.spawn(s.orders.send(order{1, 3}));
  s.context.run();
  CHECK(waits.done());
  const auto got = s.counts();
  CHECK(std::accumulate(got.begin(), got.end(), std::size_t{0}) == 3);
  CHECK(s.rejected() == 1);
  s.check();
}

TEST_CASE("one that is closed is passed over, and where all are, the first refuses", "[A7][A10]") {
  shops s;
  s.all[0]->close();
  for (int i = 0; i < 6; ++i) CHECK(s.post().admitted == 1);
  s.context.run();
  CHECK(s.seen[0].empty());
  CHECK(s.seen[1].size() + s.seen[2].size() == 6);
  for (auto& each : s.all) each->close();
  CHECK(s.post() == receipt{.rejected = 1});
  auto sent = s.context.spawn(s.orders.send(order{}));
  s.context.run();
  CHECK(sent.get() == receipt{.rejected = 1});
  CHECK(s.rejected() == 2);
  s.check();
}

TEST_CASE("where all are full, a post is rejected once, and a send waits", "[A6][A7]") {
  shops s({.capacity = 1});
  s.takes = {3s, 2s, 1s};
  for (int i = 0; i < 3; ++i) CHECK(s.post().admitted == 1);
  s.context.run();  // each has one in hand
  for (int i = 0; i < 3; ++i) CHECK(s.post().admitted == 1);
  CHECK(s.post() == receipt{.rejected = 1});
  CHECK(s.rejected() == 1);
  auto first = s.context.spawn(s.orders.send(order{0, 77}));
  s.context.run();
  CHECK_FALSE(first.done());
  s.pass(1s);  // the quickest has space
  CHECK(first.get() == receipt{.admitted = 1});
  s.pass(1min);
  REQUIRE(s.seen[2].size() == 3);
  CHECK(s.seen[2][2].number == 77);
  CHECK(s.counts() == counts{2, 2, 3});
  s.check();
}

TEST_CASE("a sender that waits at several is cancelled without having sent anything", "[A9]") {
  shops s({.capacity = 1});
  s.takes = {3s, 2s, 1s};
  for (int i = 0; i < 6; ++i) {
    (void)s.post();
    s.context.run();
  }
  auto cancelled = s.context.spawn(s.orders.send(order{0, 1}));
  auto other = s.context.spawn(s.orders.send(order{0, 2}));
  s.context.run();
  cancelled.cancel();
  s.context.run();
  REQUIRE(cancelled.done());
  CHECK(msgbus::exec::is_aborted(cancelled.failure()));
  s.pass(1min);
  CHECK(other.get().admitted == 1);
  const auto got = s.counts();
  CHECK(std::accumulate(got.begin(), got.end(), std::size_t{0}) == 7);
  s.check();
}

TEST_CASE("a sender that waits goes on when the last of them closes", "[A10]") {
  shops s({.capacity = 1});
  s.takes = {1h, 1h, 1h};
  for (int i = 0; i < 6; ++i) {
    (void)s.post();
    s.context.run();
  }
  auto waits = s.context.spawn(s.orders.send(order{0, 1}));
  s.context.run();
  s.all[0]->close();
  s.all[1]->close();
  s.context.run();
  CHECK_FALSE(waits.done());
  s.all[2]->close();
  s.context.run();
  CHECK(waits.get() == receipt{.rejected = 1});
  CHECK(s.rejected() == 1);
  s.pass(3h);
  s.check();
}

TEST_CASE("many that wait at several mailboxes all get their place", "[A6][A9]") {
  std::mt19937 random(3);
  for (int n = 0; n < 60; ++n) {
    shops s({.capacity = 1 + random() % 2},
            pick_options{.by = n % 2 == 0 ? pick::round_robin : pick::least_waiting});
    for (auto& each : s.takes) each = std::chrono::milliseconds(random() % 3000);
    std::vector<msgbus::testing::spawned<receipt>> sent;
    for (int i = 0; i < 30; ++i) sent.push_back(s.context.spawn(s.orders.send(order{0, i})));
    s.pass(std::chrono::milliseconds(random() % 5000));
    std::size_t cancelled = 0;
    for (auto& each : sent) {
      if (random() % 4 == 0) each.cancel();
    }
    s.pass(1h);
    std::size_t admitted = 0;
    for (auto& each : sent) {
      REQUIRE(each.done());
      if (each.failure()) {
        REQUIRE(msgbus::exec::is_aborted(each.failure()));
        ++cancelled;
      } else {
        REQUIRE(each.get() == receipt{.admitted = 1});
        ++admitted;
      }
    }
    const auto got = s.counts();
    REQUIRE(std::accumulate(got.begin(), got.end(), std::size_t{0}) == admitted);
    REQUIRE(admitted + cancelled == 30);
    s.check();
  }
}

TEST_CASE("a place that a sender was woken for, but does not need, goes to the next", "[A6][A9]") {
  shops s({.capacity = 1}, std::nullopt);
  s.takes = {1s, 1s, 1s};
  s.orders.bind_one_of(*s.all[0], *s.all[1]);
  for (int i = 0; i < 2; ++i) {
    (void)s.all[0]->post(order{});
    (void)s.all[1]->post(order{});
    s.context.run();
  }
  auto first = s.context.spawn(s.orders.send(order{0, 1}));
  s.context.run();
  auto next_here = s.context.spawn(s.all[0]->send(order{0, 2}));
  auto next_there = s.context.spawn(s.all[1]->send(order{0, 3}));
  s.context.run();
  s.pass(1s);  // both have one place, and wake the first sender
  CHECK(first.done());
  CHECK((next_here.done() || next_there.done()));
  s.pass(1s);
  CHECK(next_here.done());
  CHECK(next_there.done());
  s.pass(1min);
  s.check();
}

TEST_CASE("a thread that blocks at several goes on when one has space, or time is up", "[A6]") {
  asio::thread_pool pool(1);
  msgbus::testing::stepping_context stopped;  // runs nothing
  consumer never(stopped.get_executor(), {.capacity = 1});
  const msgbus::testing::probe watching;
  never.observe(watching);
  std::atomic<int> handled{0};
  consumer works(pool.get_executor(), {.capacity = 1});
  works.handler([&](const order&) { ++handled; });
  producer orders;
  orders.bind_one_of(never, works);
  for (int i = 0; i < 200; ++i) REQUIRE(orders.send_blocking(order{}).admitted == 1);
  works.close();
  CHECK(orders.send_blocking(order{}, 1ms) == receipt{.rejected = 1});
  pool.join();
  CHECK(handled == 199);
  CHECK(never.stats().rejected == 1);
}

TEST_CASE("a send that waits at several can be torn down after each step", "[A12]") {
  struct scenario {
    explicit scenario(msgbus::testing::stepping_context& context)
        : a(context.get_executor(), {.capacity = 1}), b(context.get_executor(), {.capacity = 1}) {
      for (consumer* const each : {&a, &b}) {
        each->handler([](order) -> awaitable<void> { co_await msgbus_test::hop(2); });
      }
      orders.bind_one_of(a, b);
      for (int i = 0; i < 6; ++i) sent.push_back(context.spawn(orders.send(order{0, i})));
    }
    msgbus::testing::probe watching;
    consumer a, b;
    producer orders;
    std::vector<msgbus::testing::spawned<receipt>> sent;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& context) {
        auto made = std::make_unique<scenario>(context);
        made->a.observe(made->watching);
        made->b.observe(made->watching);
        return made;
      },
      {.order = msgbus::testing::teardown::both});
  CHECK(report.steps > 20);
}

}  // namespace one_of_full_test
