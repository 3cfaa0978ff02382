// Order per key, whatever is retried, dropped, cancelled and ended when.

#include "policy/account_shop.hpp"

#include <msgbus/testing/cut_off.hpp>

#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <random>

namespace per_key_any_moment_test {

using asio::awaitable;
using msgbus::overflow;
using msgbus::async::consumer;
using msgbus_test::account_shop;
using msgbus_test::from_to;
using order = msgbus_test::account_order;
using namespace std::chrono_literals;

namespace {

/// Random messages, sent at random times by coroutines that wait for space.
struct random_shop {
  explicit random_shop(std::mt19937& random, overflow on_full = overflow::suspend)
      : s({.capacity = 1 + random() % 8, .on_full = on_full, .concurrency = 1 + random() % 4},
          {.retry = {.attempts = 1 + random() % 3,
                     .backoff = 700ms,
                     .jitter = 0,
                     .hold_order = random() % 2 == 0}}) {
    s.events.observe(watching);
    for (int account = 0; account < 4; ++account) {
      s.takes[account] = std::chrono::milliseconds(random() % 3000);
    }
    for (int account = 0; account < 4; ++account) {
      const int many = static_cast<int>(random() % 10);
      for (int i = 0; i < many; ++i) s.fails[{account, i}] = static_cast<int>(random() % 3);
      sent.push_back(s.context.spawn(send(s.events, account, many)));
    }
  }
  static awaitable<int> send(consumer& to, int account, int many) {
    int admitted = 0;
    for (int i = 0; i < many; ++i) {
      const order event{account, i};
      const msgbus::receipt given = co_await to.send(event);
      admitted += static_cast<int>(given.admitted);
    }
    co_return admitted;
  }
  void check() {
    REQUIRE(s.most_of_account <= 1);
    REQUIRE(msgbus_test::is_conserved(s.events.stats()));
    for (auto& [account, numbers] : s.begun) {
      REQUIRE(std::is_sorted(numbers.begin(), numbers.end()));
    }
  }

  msgbus::testing::probe watching;
  account_shop s;
  std::vector<msgbus::testing::spawned<int>> sent;
};

}  // namespace

TEST_CASE("whatever is retried and dropped, each key stays in order", "[P5][P2]") {
  std::mt19937 random(5);
  for (int n = 0; n < 300; ++n) {
    const auto on_full = static_cast<overflow>(n % 4);
    random_shop r(random, on_full);
    r.s.pass(1h);
    r.check();
    for (const auto& each : r.sent) REQUIRE(each.done());
    REQUIRE(r.s.events.waiting() == 0);
  }
}

TEST_CASE("a drain or a close at any time leaves every message in one outcome", "[P5][P2]") {
  std::mt19937 random(6);
  for (int n = 0; n < 300; ++n) {
    random_shop r(random, static_cast<overflow>(n % 4));
    r.s.pass(std::chrono::milliseconds(random() % 15'000));
    if (n % 3 == 0) {
      r.s.events.close();
      r.s.pass(1h);
      REQUIRE(r.s.events.stats().abandoned == 0);
    } else {
      const auto report = r.s.clock.run(r.s.context, r.s.events.drain(1s));
      REQUIRE(report.abandoned == r.s.events.stats().abandoned);
      r.s.pass(1h);
    }
    r.check();
    for (const auto& each : r.sent) REQUIRE(each.done());
  }
}

TEST_CASE("a cancelled send has sent nothing, and keeps the order of the others", "[P5][A9]") {
  std::mt19937 random(7);
  for (int n = 0; n < 200; ++n) {
    random_shop r(random);
    r.s.pass(std::chrono::milliseconds(random() % 8'000));
    for (auto& each : r.sent) {
      if (random() % 2 == 0) each.cancel();
    }
    r.s.pass(1h);
    r.check();
    std::size_t begun = 0;
    for (auto& [account, numbers] : r.s.begun) {
      numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
      REQUIRE(numbers == from_to(0, static_cast<int>(numbers.size()) - 1));
      begun += numbers.size();
    }
    REQUIRE(r.s.events.stats().accepted == begun);
  }
}

TEST_CASE("messages with keys can be torn down after each step", "[P5][A12]") {
  struct scenario {
    explicit scenario(msgbus::testing::stepping_context& context)
        : events(context.get_executor(), {.capacity = 3, .concurrency = 2}) {
      events.ordered_by<order>([](const order& o) { return o.account; });
      events.handler([](order o) -> awaitable<void> {
        for (int i = 0; i < 2 + o.account; ++i) co_await asio::post(asio::use_awaitable);
      });
      for (int account = 0; account < 3; ++account) {
        sent.push_back(context.spawn(random_shop::send(events, account, 3)));
      }
    }
    msgbus::testing::probe watching;
    consumer events;
    std::vector<msgbus::testing::spawned<int>> sent;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& context) {
        auto made = std::make_unique<scenario>(context);
        made->events.observe(made->watching);
        return made;
      },
      {.order = msgbus::testing::teardown::both});
  CHECK(report.steps > 20);
}

}  // namespace per_key_any_moment_test
