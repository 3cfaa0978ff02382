// Order per key: `ordered_by`, with retries and several loops.

#include "policy/account_shop.hpp"

#include <string_view>
#include <variant>

namespace per_key_test {

using asio::awaitable;
using msgbus::overflow;
using msgbus::async::consumer;
using msgbus_test::account_shop;
using msgbus_test::from_to;
using msgbus_test::running;
using order = msgbus_test::account_order;
using namespace std::chrono_literals;

namespace {

struct payment {
  int account;
  int number;
};
struct tick {
  int number;
};

}  // namespace

TEST_CASE("messages of a key are handled one after the other, and keys side by side", "[P5]") {
  account_shop s({.concurrency = 4});
  for (const int account : {1, 2, 3}) s.takes[account] = 1s;
  for (const int account : {1, 2, 3}) s.post(account, 0, 4);
  s.pass(5s);
  CHECK(s.most_of_account == 1);
  CHECK(s.most_running == 3);
  for (const int account : {1, 2, 3}) CHECK(s.done[account] == from_to(0, 4));
}

TEST_CASE("a slow key holds up nobody but itself", "[P5]") {
  account_shop s({.concurrency = 2});
  s.takes[1] = 1h;
  s.post(1, 0, 99);
  for (int i = 0; i < 100; ++i) s.post(2 + i % 7, i, i);
  s.pass(1s);
  CHECK(s.done[1].empty());
  std::size_t others = 0;
  for (const auto& [account, numbers] : s.done) others += account == 1 ? 0 : numbers.size();
  CHECK(others == 100);
  s.pass(200h);
  CHECK(s.done[1] == from_to(0, 99));
}

TEST_CASE("retries keep the order of their key, and hold up no other", "[P5][P3]") {
  // A message with a key keeps its loop during its pauses, also where others give it up.
  const bool hold_order = GENERATE(true, false);
  account_shop s({.concurrency = 3},
                 {.retry = {.attempts = 5, .backoff = 1s, .jitter = 0, .hold_order = hold_order}});
  s.fails[{1, 0}] = 3;
  s.post(1, 0, 3);
  s.post(2, 0, 3);
  s.pass(500ms);
  CHECK(s.done[1].empty());
  CHECK(s.done[2] == from_to(0, 3));
  s.pass(1h);
  CHECK(s.begun[1] == std::vector<int>{0, 0, 0, 0, 1, 2, 3});
  CHECK(s.done[1] == from_to(0, 3));
}

TEST_CASE("a message that is sent later has its key, and keeps the order of that", "[P5][P6]") {
  account_shop s({.concurrency = 4});
  s.takes[1] = 10s;
  s.post(1, 0, 0);
  (void)s.events.send_after(2s, order{1, 1});
  (void)s.events.send_after(3s, order{2, 0});
  int number = 1;
  const auto again = [&] { return order{1, ++number}; };
  msgbus::scheduled every = s.events.every(4s, again);
  s.pass(9s);
  (void)every.cancel();
  CHECK(s.done[1].empty());
  CHECK(s.done[2] == from_to(0, 0));
  s.pass(1h);
  CHECK(s.done[1] == from_to(0, 3));
  CHECK(s.most_of_account == 1);
}

TEST_CASE("a key with a long queue shares the loops fairly with the others", "[P5]") {
  account_shop s({.concurrency = 2});
  for (const int account : {1, 2, 3, 4}) s.takes[account] = 1s;
  s.post(1, 0, 99);
  for (const int account : {2, 3, 4}) s.post(account, 0, 9);
  s.pass(20s);
  // Two at a time among four that are ready: each has about a quarter.
  for (const int account : {1, 2, 3, 4}) {
    INFO("account " << account);
    CHECK(s.begun[account].size() >= 9);
    CHECK(s.begun[account].size() <= 11);
  }
  s.pass(1h);
}

TEST_CASE("a message that waits for its key counts in the capacity", "[P5][A6]") {
  account_shop s({.capacity = 5, .concurrency = 3});
  s.takes[1] = 1s;
  s.post(1, 0, 0);
  s.context.run();
  s.post(1, 1, 5);
  CHECK(s.events.waiting() == 5);
  CHECK(s.events.post(order{2, 0}).rejected == 1);
  auto waits = s.context.spawn(s.events.send(order{2, 1}));
  s.context.run();
  CHECK_FALSE(waits.done());
  s.pass(1s);
  CHECK(waits.done());
  s.pass(1h);
  CHECK(s.done[1] == from_to(0, 5));
  CHECK(s.done[2] == from_to(1, 1));
  CHECK(msgbus_test::is_conserved(s.events.stats()));
}

TEST_CASE("the oldest message is dropped, whether its key is busy or not", "[P5][A6]") {
  account_shop s({.capacity = 4, .on_full = overflow::drop_oldest, .concurrency = 2});
  s.takes[1] = 1s;
  s.post(1, 0, 2);
  s.context.run();  // 0 is in hand, 1 and 2 wait
  s.post(2, 0, 0);
  s.context.run();
  s.takes[2] = 1s;
  s.post(2, 1, 1);
  s.context.run();
  s.post(1, 3, 4);
  s.post(2, 2, 2);  // 1, 2, 3, 4 of the first key and 2 of the second would wait: five
  s.pass(1h);
  CHECK(s.done[1] == std::vector<int>{0, 2, 3, 4});
  CHECK(s.done[2] == from_to(0, 2));
  CHECK(s.events.stats().dropped == 1);
  CHECK(msgbus_test::is_conserved(s.events.stats()));
}

TEST_CASE("types without a rule are a key of their own, each", "[P5]") {
  running t({.concurrency = 4});
  std::vector<int> ticks;
  int most = 0, now = 0;
  t.events.ordered_by<order>([](const order& o) { return o.account; });
  t.events.handler([&](const tick& event) -> awaitable<void> {
    most = std::max(most, ++now);
    co_await msgbus::exec::sleep(1s);
    --now;
    ticks.push_back(event.number);
  });
  for (int i = 0; i < 5; ++i) (void)t.events.post(tick{i});
  t.pass(10s);
  CHECK(most == 1);
  CHECK(ticks == from_to(0, 4));
}

TEST_CASE("rules of several types share their keys, and so do the alternatives of a variant",
          "[P5][T3]") {
  running t({.concurrency = 4});
  std::vector<std::string> seen;
  t.events.ordered_by<order>([](const order& o) { return o.account; });
  t.events.ordered_by<payment>(&payment::account);
  t.events.handler([&](const order& o) -> awaitable<void> {
    co_await msgbus::exec::sleep(1s);
    seen.push_back("order " + std::to_string(o.number));
  });
  t.events.handler(
      [&](const payment& p) { seen.push_back("payment " + std::to_string(p.number)); });
  (void)t.events.post(std::variant<order, payment>(order{1, 0}));
  (void)t.events.post(payment{1, 1});
  (void)t.events.post(payment{2, 2});
  t.pass(10s);
  CHECK(seen == std::vector<std::string>{"payment 2", "order 0", "payment 1"});
}

TEST_CASE("subscribers keep the order of keys, which may be made of the topic", "[P5]") {
  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock(context);
  msgbus::async::subscriber subscriber(context.get_executor(), {.concurrency = 4});
  subscriber.ordered_by<order>([](const order&, std::string_view topic) { return topic; });
  std::map<std::string, std::vector<int>> seen;
  int most = 0, now = 0;
  subscriber.subscribe("orders.*",
                       [&](const order& o, const msgbus::context& about) -> awaitable<void> {
                         most = std::max(most, ++now);
                         co_await msgbus::exec::sleep(std::chrono::seconds(5 - o.number));
                         --now;
                         seen[std::string(about.topic())].push_back(o.number);
                       });
  for (int i = 0; i < 4; ++i) {
    (void)subscriber.post(order{1, i}, "orders.a");
    (void)subscriber.post(order{1, i}, "orders.b");
  }
  clock.run_for(context, 1h);
  CHECK(most == 2);
  CHECK(seen["orders.a"] == from_to(0, 3));
  CHECK(seen["orders.b"] == from_to(0, 3));
}

TEST_CASE("a message whose key function throws counts as failed, and its sender does not notice",
          "[P5][A7][A8]") {
  running t({.concurrency = 2});
  msgbus::testing::probe watching;
  t.events.observe(watching);
  std::vector<std::string> reported;
  int handled = 0;
  t.events.ordered_by<order>([](const order& o) {
    if (o.account < 0) throw std::runtime_error("no such account");
    return o.account;
  });
  t.events.handler([&](const order&) { ++handled; });
  t.events.on_failed<order>([&](const order&, const msgbus::failure& failed) {
    reported.push_back(msgbus::describe(failed.error));
  });
  CHECK(t.events.post(order{-1, 0}).admitted == 1);
  CHECK(t.events.post(order{1, 0}).admitted == 1);
  t.pass(1s);
  CHECK(handled == 1);
  CHECK(reported == std::vector<std::string>{"no such account"});
  CHECK(t.events.stats().failed == 1);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("a rule holds for later messages, and earlier ones are handled first", "[P5][A7]") {
  running t({.concurrency = 3});
  std::vector<int> seen;
  t.events.handler([&](const order& o) -> awaitable<void> {
    co_await msgbus::exec::sleep(1s);
    seen.push_back(o.number);
  });
  for (int i = 0; i < 6; ++i) (void)t.events.post(order{1, i});
  t.events.ordered_by<order>([](const order& o) { return o.account; });
  for (int i = 6; i < 12; ++i) (void)t.events.post(order{1, i});
  t.pass(1min);
  REQUIRE(seen.size() == 12);
  CHECK(std::vector(seen.begin() + 6, seen.end()) == from_to(6, 11));
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("one loop keeps everything in order, with a rule or without", "[P5][A4]") {
  for (const auto on_full : {overflow::suspend, overflow::drop_oldest}) {
    running t({.on_full = on_full});
    std::vector<int> seen;
    t.events.ordered_by<order>([](const order& o) { return o.account; });
    t.events.handler([&](const order& o) -> awaitable<void> {
      co_await msgbus::exec::sleep(1s);
      seen.push_back(o.number);
    });
    for (int i = 0; i < 6; ++i) (void)t.events.post(order{i % 3, i});
    t.pass(1min);
    CHECK(seen == from_to(0, 5));
  }
}

TEST_CASE("after the end of its consumer no key function exists", "[P5][D8]") {
  const auto held = std::make_shared<int>(0);
  {
    running t({.concurrency = 2});
    t.events.ordered_by<order>([held](const order& o) { return o.account + *held; });
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

}  // namespace per_key_test
