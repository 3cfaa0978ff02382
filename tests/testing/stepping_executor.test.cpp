#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace stepping_executor_test {

using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;
using msgbus_test::contains;

namespace {

asio::awaitable<void> turn() { co_await asio::post(asio::use_awaitable); }

std::vector<int> order_of_ten(stepping_context& context) {
  std::vector<int> order;
  for (int i = 0; i < 10; ++i)
    asio::post(context.get_executor(), [&order, i] { order.push_back(i); });
  CHECK(context.pending() == 10);
  CHECK(context.run() == 10);
  CHECK(context.pending() == 0);
  return order;
}

}  // namespace

TEST_CASE("a step is one posted function, in the order of posting") {
  stepping_context context;
  CHECK_FALSE(context.step());
  std::string done;
  asio::post(context.get_executor(), [&] {
    done += 'a';
    asio::post(context.get_executor(), [&] { done += 'c'; });
  });
  asio::post(context.get_executor(), [&] { done += 'b'; });
  CHECK(done.empty());
  CHECK(context.step());
  CHECK(done == "a");
  CHECK(context.step());
  CHECK(context.step());
  CHECK_FALSE(context.step());
  CHECK(done == "abc");
}

TEST_CASE("a dispatched function runs inside the current step, and elsewhere as its own step") {
  stepping_context context;
  std::string done;
  asio::dispatch(context.get_executor(), [&] {
    asio::dispatch(context.get_executor(), [&] { done += 'a'; });
    asio::post(context.get_executor(), [&] { done += 'c'; });
    done += 'b';
  });
  CHECK(done.empty());
  CHECK(context.step());
  CHECK(done == "ab");
  CHECK(context.run() == 1);
  CHECK(done == "abc");
}

TEST_CASE("a seed determines the order of steps") {
  stepping_context in_order;
  const std::vector<int> first = order_of_ten(in_order);
  CHECK(first == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

  stepping_context a(shuffled{1}), b(shuffled{1}), c(shuffled{2});
  const auto order = order_of_ten(a);
  CHECK(order != first);
  CHECK(order == order_of_ten(b));
  CHECK(order != order_of_ten(c));
}

TEST_CASE("a strand keeps its order on a shuffled context") {
  stepping_context context(shuffled{7});
  const auto strand = asio::make_strand(context.get_executor());
  const auto other = asio::make_strand(asio::any_io_executor(context.get_executor()));
  std::vector<int> order;
  for (int i = 0; i < 20; ++i) {
    asio::post(strand, [&, i] {
      CHECK(strand.running_in_this_thread());
      CHECK_FALSE(other.running_in_this_thread());
      order.push_back(i);
    });
  }
  context.run();
  REQUIRE(order.size() == 20);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("an awaitable runs to its end and returns its result") {
  stepping_context context;
  auto add = [](int a, int b) -> asio::awaitable<int> {
    co_await turn();
    co_return a + b;
  };
  CHECK(context.run(add(1, 2)) == 3);

  int turns = 0;
  context.run([&]() -> asio::awaitable<void> {
    for (; turns < 5; ++turns) co_await turn();
  });
  CHECK(turns == 5);

  auto text = [](std::string given) -> asio::awaitable<std::unique_ptr<std::string>> {
    co_await turn();
    co_return std::make_unique<std::string>(given);
  };
  CHECK(*context.run(text("long enough to be allocated")) == "long enough to be allocated");
}

TEST_CASE("an awaitable's exception is thrown by run") {
  stepping_context context;
  auto fail = []() -> asio::awaitable<void> {
    co_await turn();
    throw std::runtime_error("no luck");
  };
  CHECK_THROWS_WITH(context.run(fail()), "no luck");
}

TEST_CASE("an awaitable that can never end is reported as stuck") {
  stepping_context context;
  auto wait = []() -> asio::awaitable<void> {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::chrono::hours(24));
    co_await timer.async_wait(asio::use_awaitable);
  };
  CHECK_THROWS_AS(context.run(wait()), msgbus::testing::stuck);
  CHECK_THROWS_WITH(context.run(wait()), contains("nothing is left to do"));
  CHECK_THROWS_WITH(context.run(wait()),
                    contains("A timer or another operation of Asio is pending"));
}

TEST_CASE("an awaitable that waits for another context is reported as stuck") {
  stepping_context context;
  asio::io_context another;
  const auto visit = [&]() -> asio::awaitable<void> {
    co_await asio::post(asio::bind_executor(another.get_executor(), asio::use_awaitable));
  };
  CHECK_THROWS_WITH(context.run(visit()), contains("it waits for another context"));
}

TEST_CASE("an exception of a step is thrown, and the next steps remain") {
  stepping_context context;
  bool later = false;
  asio::post(context.get_executor(), [] { throw std::runtime_error("no luck"); });
  asio::post(context.get_executor(), [&] { later = true; });
  CHECK_THROWS_WITH(context.run(), "no luck");
  CHECK(context.pending() == 1);
  CHECK(context.run() == 1);
  CHECK(later);
}

TEST_CASE("a step cannot do steps") {
  stepping_context context;
  asio::post(context.get_executor(), [&] { context.step(); });
  CHECK_THROWS_WITH(context.run(), contains("a step cannot do steps"));
  asio::post(context.get_executor(), [&] { context.run(turn()); });
  CHECK_THROWS_WITH(context.run(), contains("a step cannot do steps"));
}

TEST_CASE("run_until runs steps until a condition holds") {
  stepping_context context;
  int done = 0;
  for (int i = 0; i < 5; ++i) asio::post(context.get_executor(), [&] { ++done; });
  CHECK(context.run_until([&] { return done == 3; }));
  CHECK(context.pending() == 2);
  CHECK_FALSE(context.run_until([&] { return done == 9; }));
  CHECK(done == 5);
}

TEST_CASE("real timers of Asio complete when they have expired") {
  stepping_context context;
  asio::steady_timer timer(context.get_executor());
  timer.expires_after(std::chrono::milliseconds(1));
  bool expired = false;
  timer.async_wait([&](asio::error_code ended) { expired = !ended; });
  CHECK(context.run_until([&] { return expired; }, std::chrono::seconds(60)));

  timer.expires_after(std::chrono::hours(1));
  asio::error_code result;
  timer.async_wait([&](asio::error_code ended) { result = ended; });
  CHECK(context.run() == 0);
  timer.cancel();
  CHECK(context.run() == 1);
  CHECK(result == asio::error::operation_aborted);
}

TEST_CASE("other threads may post, and run_until waits for them") {
  stepping_context context;
  constexpr int threads = 4;
  constexpr int each = 1000;
  int done = 0;
  std::vector<std::thread> posting;
  for (int t = 0; t < threads; ++t) {
    posting.emplace_back([&] {
      for (int i = 0; i < each; ++i) asio::post(context.get_executor(), [&] { ++done; });
    });
  }
  CHECK(context.run_until([&] { return done == threads * each; }, std::chrono::seconds(60)));
  for (std::thread& t : posting) t.join();
  CHECK_FALSE(context.run_until([] { return false; }, std::chrono::milliseconds(1)));
}

TEST_CASE("executors of one context are equal, also as any_io_executor") {
  stepping_context one, two;
  CHECK(one.get_executor() == one.get_executor());
  CHECK(one.get_executor() != two.get_executor());
  const asio::any_io_executor any = one.get_executor();
  CHECK(any == asio::any_io_executor(one.get_executor()));
  CHECK(any != asio::any_io_executor(two.get_executor()));
  CHECK(&asio::query(any, asio::execution::context) == &one.context());
  CHECK(asio::query(one.get_executor(), asio::execution::blocking) ==
        asio::execution::blocking.possibly);
  CHECK(asio::query(asio::require(one.get_executor(), asio::execution::blocking.never),
                    asio::execution::blocking) == asio::execution::blocking.never);
}

TEST_CASE("coroutines of several strands and executors run together", "[A2]") {
  stepping_context one, two;
  std::string done;
  // given: a coroutine on one context that awaits another one
  auto there = [&]() -> asio::awaitable<int> {
    done += 't';
    co_await turn();
    co_return 2;
  };
  auto here = [&]() -> asio::awaitable<int> {
    const int first = co_await asio::co_spawn(two.get_executor(), there(), asio::use_awaitable);
    done += 'h';
    co_return first + 1;
  };
  auto running = one.spawn(here());
  // when: only the first context runs
  one.run();
  // then: the coroutine waits for the second one
  CHECK_FALSE(running.done());
  CHECK(done.empty());
  // when: both contexts run
  two.run();
  CHECK(done == "t");
  one.run();
  // then: it resumes on its own context
  CHECK(done == "th");
  CHECK(running.get() == 3);
}

TEST_CASE("a destroyed context destroys pending functions", "[A12]") {
  struct noted {
    explicit noted(int& to) : count(to) { ++count; }
    noted(const noted& other) : count(other.count) { ++count; }
    ~noted() { --count; }
    int& count;
  };
  // given: suspended, unstarted and posted work, which owns counted objects
  int alive = 0;
  {
    stepping_context context;
    const auto strand = asio::make_strand(context.get_executor());
    auto wait_on_strand = [](noted) -> asio::awaitable<void> {
      asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
      co_await timer.async_wait(asio::use_awaitable);
    };
    auto outer = [&](noted kept) -> asio::awaitable<void> {
      co_await turn();
      co_await asio::co_spawn(strand, wait_on_strand(kept), asio::use_awaitable);
    };
    auto never_started = [](noted) -> asio::awaitable<void> { co_return; };
    asio::co_spawn(context.get_executor(), outer(noted(alive)), asio::detached);
    asio::co_spawn(strand, wait_on_strand(noted(alive)), asio::detached);
    context.run();
    asio::co_spawn(strand, never_started(noted(alive)), asio::detached);
    asio::post(context.get_executor(), [kept = noted(alive)] {});
    CHECK(alive > 3);
  }
  // then: the destruction of the context destroys them all
  CHECK(alive == 0);
}

TEST_CASE("functions that destroyed steps post are destroyed too", "[A12]") {
  auto shared = std::make_shared<int>(0);
  struct poster {
    asio::any_io_executor executor;
    std::shared_ptr<int> count;
    ~poster() {
      if (count) asio::post(executor, [kept = count] { ++*kept; });
    }
  };
  {
    stepping_context context;
    auto last = std::make_shared<poster>(poster{context.get_executor(), shared});
    asio::post(context.get_executor(), [kept = std::move(last)] {});
  }
  CHECK(*shared == 0);
  CHECK(shared.use_count() == 1);
}

TEST_CASE("an order of steps is printed with its seed") {
  CHECK(Catch::Detail::stringify(msgbus::testing::shuffled{7}) == "shuffled{.seed = 7}");
}

}  // namespace stepping_executor_test
