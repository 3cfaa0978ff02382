// Order per key and one of several with threads: 8 loops, hopping coroutines, retries, drains.

#include <msgbus/async.hpp>
#include <msgbus/testing/probe.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

namespace keys_test {

using asio::awaitable;
using msgbus::by_key;
using msgbus::pick;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus_test::end_of_all;
using msgbus_test::wait_for_end;
using namespace std::chrono_literals;

namespace {

struct order {
  int account;
  int number;
};

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
    __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
constexpr int most_messages = 60'000;
constexpr int accounts = 2'000;
#else
constexpr int most_messages = 1'000'000;
constexpr int accounts = 10'000;
#endif
constexpr int messages = most_messages / 5;  // where a million is not promised
constexpr int senders = 4;
constexpr auto long_deadline = 4 * msgbus_test::deadline;

/// What has been seen of each key. Plain numbers for the most: only the order per key, and what it
/// makes visible, keeps them whole.
struct ledger {
  ledger() : expected(accounts), busy(accounts) {}

  void enter(const order& o) {
    auto& mine = busy[static_cast<std::size_t>(o.account)];
    if (mine.exchange(true, std::memory_order_relaxed)) ++overlapping;
  }
  void leave(const order& o) {
    int& mine = expected[static_cast<std::size_t>(o.account)];
    if (mine != o.number) ++out_of_order;
    mine = o.number + 1;
    busy[static_cast<std::size_t>(o.account)].store(false, std::memory_order_relaxed);
    ++handled;
  }

  std::vector<int> expected;
  std::vector<std::atomic<bool>> busy;
  std::atomic<int> overlapping{0};
  std::atomic<int> out_of_order{0};
  std::atomic<int> handled{0};
};

/// Sends the messages of every `senders`th account, all keys in turn; hops between threads.
template <class To>
awaitable<void> send_all(To& to, int from, int many) {
  const int rounds = many / accounts;
  for (int number = 0; number < rounds; ++number) {
    for (int account = from; account < accounts; account += senders) {
      if (account % 5 == 0) co_await asio::post(asio::use_awaitable);
      const order event{account, number};
      const msgbus::receipt given = co_await to.send(event);
      if (given.admitted != 1) throw std::runtime_error("a message was not accepted");
    }
  }
}

template <class To>
void send_from_all(asio::thread_pool& pool, To& to, int many = messages) {
  std::vector<std::future<void>> ended;
  for (int from = 0; from < senders; ++from) {
    ended.push_back(asio::co_spawn(pool, send_all(to, from, many), asio::use_future));
  }
  end_of_all(ended, "the senders", long_deadline);
}

void drain(asio::thread_pool& pool, consumer& all) {
  auto report = asio::co_spawn(pool, all.drain(100s), asio::use_future);
  wait_for_end(report, "a drain", long_deadline);
  CHECK(report.get().abandoned == 0);
}

}  // namespace

TEST_CASE("a million messages of ten thousand keys stay in order on eight loops", "[P5][A7]") {
  asio::thread_pool pool(4);
  ledger seen;
  consumer orders(pool.get_executor(), {.capacity = 2000, .concurrency = 8});
  orders.ordered_by<order>([](const order& o) { return o.account; });
  std::atomic<int> failures{0};
  orders.handler(
      [&](const order& o, const msgbus::context& known) -> awaitable<void> {
        // A few fail once: their key waits for the second attempt.
        if (o.number % 50 == 3 && o.account % 100 == 7 && known.attempt() == 1) {
          ++failures;
          throw std::runtime_error("down");
        }
        seen.enter(o);
        if ((o.account + o.number) % 3 == 0) co_await asio::post(asio::use_awaitable);
        seen.leave(o);
      },
      {.retry = {.attempts = 3, .backoff = 1ms}});
  send_from_all(pool, orders, most_messages);
  drain(pool, orders);
  CHECK(seen.handled == most_messages);
  CHECK(seen.overlapping == 0);
  CHECK(seen.out_of_order == 0);
  CHECK(failures > 0);
  const auto counted = orders.stats();
  CHECK(counted.handled == static_cast<std::uint64_t>(most_messages));
  CHECK(msgbus_test::is_conserved(counted));
  pool.join();
}

TEST_CASE("plain handlers of one key run one after the other on many threads", "[P5]") {
  asio::thread_pool pool(4);
  ledger seen;
  consumer orders(pool.get_executor(), {.capacity = 100, .concurrency = 8});
  orders.ordered_by<order>([](const order& o) { return o.account; });
  orders.handler([&](const order& o) {
    seen.enter(o);
    seen.leave(o);
  });
  send_from_all(pool, orders);
  drain(pool, orders);
  CHECK(seen.handled == messages);
  CHECK(seen.overlapping == 0);
  CHECK(seen.out_of_order == 0);
  pool.join();
}

TEST_CASE("a drain in the middle leaves every message with a key in one outcome", "[P5][A7][A10]") {
  for (int round = 0; round < 20; ++round) {
    asio::thread_pool pool(3);
    const msgbus::testing::probe watching;
    consumer orders(pool.get_executor(), {.capacity = 50, .concurrency = 4});
    orders.observe(watching);
    orders.ordered_by<order>([](const order& o) { return o.account; });
    orders.handler([](const order& o) -> awaitable<void> {
      for (int i = 0; i < o.number % 4; ++i) co_await asio::post(asio::use_awaitable);
    });
    std::atomic<std::uint64_t> admitted{0};
    std::vector<std::future<void>> ended;
    for (int from = 0; from < senders; ++from) {
      auto sends = [](consumer& to, std::atomic<std::uint64_t>& counted) -> awaitable<void> {
        for (int number = 0; number < 100'000; ++number) {
          const order event{number % 13, number};
          const msgbus::receipt given = co_await to.send(event);
          if (given.rejected != 0) co_return;
          ++counted;
        }
      };
      ended.push_back(asio::co_spawn(pool, sends(orders, admitted), asio::use_future));
    }
    auto drains = [](consumer& all, std::atomic<std::uint64_t>& counted, std::uint64_t many,
                     std::chrono::seconds deadline) -> awaitable<void> {
      while (counted < many) co_await asio::post(asio::use_awaitable);
      (void)co_await all.drain(deadline);
    };
    auto report = asio::co_spawn(
        pool, drains(orders, admitted, static_cast<std::uint64_t>(round) * 100, 100s),
        asio::use_future);
    wait_for_end(report, "a drain", long_deadline);
    end_of_all(ended, "the senders", long_deadline);
    report.get();
    pool.join();
    CHECK(orders.stats().accepted == admitted);
    CHECK(msgbus_test::is_conserved(orders.stats()));
  }
}

TEST_CASE("one of several by key keeps the order of each key, on four threads", "[P5]") {
  asio::thread_pool pool(4);
  ledger seen;
  std::vector<std::unique_ptr<consumer>> all;
  producer orders;
  for (int i = 0; i < 3; ++i) {
    all.push_back(
        std::make_unique<consumer>(pool.get_executor(), msgbus::mailbox_options{.capacity = 100}));
    all.back()->handler([&](const order& o) {
      seen.enter(o);
      seen.leave(o);
    });
  }
  orders.bind_one_of(
      *all[0], *all[1], *all[2],
      {.by = pick::key, .keys = {by_key<order>([](const order& o) { return o.account; })}});
  send_from_all(pool, orders);
  for (const auto& each : all) drain(pool, *each);
  CHECK(seen.handled == messages);
  CHECK(seen.overlapping == 0);
  CHECK(seen.out_of_order == 0);
  pool.join();
}

TEST_CASE("senders that wait at several small mailboxes lose nothing and wait no longer",
          "[A6][A7]") {
  asio::thread_pool pool(4);
  std::atomic<int> handled{0};
  std::vector<std::unique_ptr<consumer>> all;
  producer orders;
  for (int i = 0; i < 3; ++i) {
    all.push_back(
        std::make_unique<consumer>(pool.get_executor(), msgbus::mailbox_options{.capacity = 1}));
    all.back()->handler([&, i](const order&) -> awaitable<void> {
      for (int hop = 0; hop < i; ++hop) co_await asio::post(asio::use_awaitable);
      ++handled;
    });
  }
  orders.bind_one_of(*all[0], *all[1], *all[2], {.by = pick::least_waiting});
  std::vector<std::future<void>> ended;
  constexpr int each_sends = messages / 40;
  for (int from = 0; from < senders; ++from) {
    auto sends = [](producer& by) -> awaitable<void> {
      for (int number = 0; number < each_sends; ++number) {
        const order event{0, number};
        const msgbus::receipt given = co_await by.send(event);
        if (given.admitted != 1) throw std::runtime_error("a message was not accepted");
      }
    };
    ended.push_back(asio::co_spawn(pool, sends(orders), asio::use_future));
  }
  end_of_all(ended, "the senders", long_deadline);
  for (const auto& each : all) drain(pool, *each);
  CHECK(handled == senders * each_sends);
  pool.join();
}

}  // namespace keys_test
