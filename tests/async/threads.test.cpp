// Components on thread pools, and on several executors in one dispatch.

#include <msgbus/async.hpp>

#include <msgbus/testing/probe.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace threads_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus_test::hop;
using msgbus_test::is_conserved;

namespace {

struct numbered {
  int from = 0;
  int n = 0;
};

/// Runs it on the executor, and waits here.
template <class Executor, class T>
T wait_for(const Executor& executor, awaitable<T> what) {
  return msgbus_test::end_of(asio::co_spawn(executor, std::move(what), asio::use_future),
                             "an awaitable");
}

bool runs_here(const asio::thread_pool& pool) {
  return const_cast<asio::thread_pool&>(pool).get_executor().running_in_this_thread();
}

}  // namespace

TEST_CASE("handlers run on their component's executor or their policy's, the caller on its own",
          "[A2][A3]") {
  asio::thread_pool one(1), two(1), blocking(1), callers(1);
  consumer first(one.get_executor()), second(two.get_executor());
  producer source;
  source.bind(first, second);
  std::atomic<int> right{0}, wrong{0};
  const auto note = [&](bool is_right) { ++(is_right ? right : wrong); };
  first.handler([&](const numbered&) { note(runs_here(one)); });
  first.handler([&](const numbered&) { note(runs_here(blocking)); },
                {.executor = blocking.get_executor()});
  first.handler([&](const numbered&) -> awaitable<void> {
    co_await hop(3);
    note(runs_here(one));
  });
  second.handler([&](const numbered&) -> awaitable<void> {
    note(runs_here(two));
    co_await hop(3);
    note(runs_here(two));
  });
  auto call = [&]() -> awaitable<std::size_t> {
    note(runs_here(callers));
    co_await first.consume<numbered>(1, 1);
    note(runs_here(callers));
    (void)co_await first.send<numbered>(1, 1);
    note(runs_here(callers));
    const std::size_t ran = co_await source.dispatch<numbered>(1, 1);
    note(runs_here(callers));
    co_return ran;
  };
  CHECK(wait_for(callers.get_executor(), call()) == 4);
  (void)wait_for(callers.get_executor(), first.drain(msgbus_test::deadline));
  CHECK(wrong == 0);
  CHECK(right == 4 + 3 * 3 + 2);
  (void)source;
}

TEST_CASE("one component's handlers run in order although a pool runs several dispatches",
          "[D1][D7]") {
  asio::thread_pool pool(2);
  consumer events(pool.get_executor());
  std::atomic<bool> in_order{true};
  std::atomic<int> ran{0};
  for (int i = 0; i < 3; ++i) {
    events.handler([&, i](const std::shared_ptr<std::vector<int>>& seen) -> awaitable<void> {
      if (i == 1) co_await hop();
      if (static_cast<int>(seen->size()) != i) in_order = false;
      seen->push_back(i);
      ++ran;
    });
  }
  std::vector<std::future<std::size_t>> results;
  for (int i = 0; i < 200; ++i) {
    results.push_back(asio::co_spawn(pool, events.consume(std::make_shared<std::vector<int>>()),
                                     asio::use_future));
  }
  for (const auto& each : results) msgbus_test::wait_for_end(each, "a verb");
  for (auto& each : results) CHECK(each.get() == 3);
  CHECK(in_order);
  CHECK(ran == 600);
}

TEST_CASE("a coroutine that hops between threads is handled in the order in which it sent",
          "[A4]") {
  for (const std::size_t capacity : {std::size_t{4}, std::size_t{4096}}) {
    asio::thread_pool handlers(2), senders(2);
    consumer events(handlers.get_executor(), {.capacity = capacity});
    std::vector<int> got;  // of one handler at a time
    events.handler([&](const numbered& each) { got.push_back(each.n); });
    auto send = [&]() -> awaitable<void> {
      for (int i = 0; i < 3000; ++i) {
        if (i % 3) {
          (void)co_await events.send<numbered>(0, i);
        } else {
          while (events.post<numbered>(0, i).rejected) co_await hop();
        }
        co_await hop();
      }
    };
    wait_for(senders.get_executor(), send());
    (void)wait_for(senders.get_executor(), events.drain(msgbus_test::deadline));
    REQUIRE(got.size() == 3000);
    CHECK(std::is_sorted(got.begin(), got.end()));
  }
}

TEST_CASE("threads that synchronise are handled in the order in which they posted", "[A4]") {
  asio::thread_pool handlers(2);
  consumer events(handlers.get_executor(), {.capacity = 1 << 16});
  std::vector<int> got;
  events.handler([&](const numbered& each) -> awaitable<void> {
    if (each.n % 97 == 0) co_await hop();
    got.push_back(each.n);
  });
  std::mutex mutex;
  int next = 0;
  const auto post = [&] {
    for (int i = 0; i < 2000; ++i) {
      const std::lock_guard lock(mutex);
      (void)events.post<numbered>(0, next++);
    }
  };
  std::thread a(post), b(post);
  a.join();
  b.join();
  (void)wait_for(handlers.get_executor(), events.drain(msgbus_test::deadline));
  REQUIRE(got.size() == 4000);
  CHECK(std::is_sorted(got.begin(), got.end()));
}

TEST_CASE("senders that wait for room on several threads lose nothing", "[A6][A7]") {
  asio::thread_pool handlers(1), senders(2);
  consumer events(handlers.get_executor(), {.capacity = 2});
  std::vector<int> next(4, 0);
  bool in_order = true;
  events.handler([&](const numbered& each) -> awaitable<void> {
    if (each.n % 50 == 0) co_await hop();
    int& expected = next[static_cast<std::size_t>(each.from)];
    if (each.n != expected) in_order = false;
    expected = each.n + 1;
  });
  auto send = [&](int from) -> awaitable<void> {
    for (int i = 0; i < 500; ++i) (void)co_await events.send<numbered>(from, i);
  };
  std::vector<std::future<void>> all;
  for (int from = 0; from < 4; ++from) {
    all.push_back(asio::co_spawn(senders, send(from), asio::use_future));
  }
  msgbus_test::end_of_all(all, "the senders");
  (void)wait_for(senders.get_executor(), events.drain(msgbus_test::deadline));
  CHECK(next == std::vector<int>(4, 500));
  CHECK(in_order);
  CHECK(events.stats().handled == 2000);
  CHECK(is_conserved(events.stats()));
}

TEST_CASE("a cancellation on one thread waits for the end of the handler on another", "[A9][A1]") {
  asio::thread_pool handlers(2);
  asio::io_context callers;
  consumer first(handlers.get_executor()), second(handlers.get_executor());
  producer source;
  source.bind(first, second);
  std::atomic<int> running{0}, begun{0};
  for (auto* each : {&first, &second}) {
    each->handler([&](const numbered&) -> awaitable<void> {
      ++running;
      ++begun;
      const std::shared_ptr<void> end(nullptr, [&](void*) { --running; });
      for (;;) co_await hop();  // until it is cancelled
    });
  }
  for (int i = 0; i < msgbus_test::rounds(50); ++i) {
    begun = 0;
    asio::cancellation_signal signal;
    bool done = false;
    int left = -1;
    std::exception_ptr failure;
    asio::co_spawn(
        callers, source.dispatch<numbered>(1, 1),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::size_t) {
          done = true;
          left = running;
          failure = e;
        }));
    callers.restart();
    while (begun != 2) callers.poll();
    signal.emit(asio::cancellation_type::terminal);
    callers.restart();
    callers.run();
    CHECK(done);
    CHECK(left == 0);
    CHECK(failure);
  }
  CHECK(is_conserved(first.stats()));
}

}  // namespace threads_test
