#include <msgbus/detail/exec/timer.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thread_group.hpp"

#include <asio/cancellation_state.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <string>
#include <vector>

namespace timer_test {

using msgbus::exec::timer;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus_test::counted_alive;
using namespace std::chrono_literals;

TEST_CASE("a timer calls back when its time has passed") {
  asio::io_context context;
  timer one(context.get_executor());
  int calls = 0;
  const auto before = std::chrono::steady_clock::now();
  one.start(5ms, [&] { ++calls; });
  CHECK(calls == 0);
  context.run();
  CHECK(calls == 1);
  CHECK(std::chrono::steady_clock::now() - before >= 5ms);
}

TEST_CASE("a timer of no time calls back in a later step") {
  stepping_context context;
  const bool manual = GENERATE(false, true);
  std::optional<manual_clock> clock;
  if (manual) clock.emplace(context);
  timer one(context.get_executor());
  int calls = 0;
  for (const auto after : {0ms, -5ms}) {
    calls = 0;
    asio::post(context.get_executor(), [&] {
      one.start(after, [&] { ++calls; });
      CHECK(calls == 0);
    });
    context.run();
    CHECK(calls == 1);
  }
}

TEST_CASE("a timer obeys the context's clock") {
  stepping_context context;
  manual_clock clock(context);
  timer one(context.get_executor());
  int calls = 0;
  one.start(1h, [&] { ++calls; });
  context.run();
  clock.advance(1h - 1ns);
  context.run();
  CHECK(calls == 0);
  clock.advance(1ns);
  CHECK(calls == 0);
  context.run();
  CHECK(calls == 1);
  clock.advance(24h);
  context.run();
  CHECK(calls == 1);
}

TEST_CASE("a timer is started again, also from its callback") {
  stepping_context context;
  manual_clock clock(context);
  timer one(context.get_executor());
  std::string calls;
  one.start(1s, [&] { calls += 'a'; });
  one.start(3s, [&] {
    calls += 'b';
    one.start(2s, [&] { calls += 'c'; });
  });
  clock.run_for(context, 2s);
  CHECK(calls.empty());
  clock.run_for(context, 1s);
  CHECK(calls == "b");
  clock.run_for(context, 2s);
  CHECK(calls == "bc");
  CHECK(clock.waiting() == 0);
}

TEST_CASE("a cancelled timer does not call back, even when it has expired already") {
  stepping_context context;
  const bool manual = GENERATE(false, true);
  std::optional<manual_clock> clock;
  if (manual) clock.emplace(context);
  int alive = 0, calls = 0;
  timer one(context.get_executor());
  one.start(0s, [&, kept = counted_alive(alive)] { ++calls; });
  CHECK(context.pending() == 1);
  one.cancel();
  CHECK(alive == 0);
  context.run();
  CHECK(calls == 0);

  one.start(1h, [&, kept = counted_alive(alive)] { ++calls; });
  one.cancel();
  one.cancel();
  CHECK(alive == 0);
  context.run();
  one.start(0s, [&] { ++calls; });
  context.run();
  CHECK(calls == 1);
}

TEST_CASE("a timer that is cancelled after the clock has woken it does not call back") {
  stepping_context context;
  manual_clock clock(context);
  int calls = 0;
  timer one(context.get_executor());
  one.start(1s, [&] { ++calls; });
  clock.advance(1s);
  CHECK(context.pending() == 1);
  one.cancel();
  context.run();
  CHECK(calls == 0);
  one.start(1s, [&] { ++calls; });
  clock.advance(1s);
  one.start(1s, [&] { calls += 10; });
  context.run();
  CHECK(calls == 0);
  clock.run_for(context, 1s);
  CHECK(calls == 10);
}

TEST_CASE("a timer that is started again after it expired waits for the new time") {
  stepping_context context;
  const bool manual = GENERATE(false, true);
  std::optional<manual_clock> clock;
  if (manual) clock.emplace(context);
  int calls = 0;
  timer one(context.get_executor());
  one.start(0s, [&] { ++calls; });
  CHECK(context.pending() == 1);
  one.start(1h, [&] { calls += 10; });
  context.run();
  CHECK(calls == 0);
}

TEST_CASE("a timer that goes does not call back") {
  stepping_context context;
  const bool manual = GENERATE(false, true);
  std::optional<manual_clock> clock;
  if (manual) clock.emplace(context);
  int alive = 0;
  {
    timer one(context.get_executor());
    one.start(1h, [kept = counted_alive(alive)] {});
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
  if (manual) CHECK(clock->waiting() == 0);
  context.run();
}

TEST_CASE("a callback may destroy its timer, and may own it") {
  stepping_context context;
  manual_clock clock(context);
  auto one = std::make_unique<timer>(context.get_executor());
  one->start(1s, [&] { one.reset(); });
  clock.run_for(context, 1s);
  CHECK(one == nullptr);

  auto shared = std::make_shared<timer>(context.get_executor());
  const std::weak_ptr<timer> watch = shared;
  shared->start(1s, [shared] {});
  shared.reset();
  CHECK_FALSE(watch.expired());
  clock.run_for(context, 1s);
  CHECK(watch.expired());
}

TEST_CASE("a pending timer is work that its context waits for") {
  asio::io_context context;
  manual_clock clock(context);
  timer one(context.get_executor());
  bool called = false;
  one.start(1h, [&] { called = true; });
  CHECK(context.poll() == 0);
  CHECK_FALSE(context.stopped());
  clock.advance(1h);
  context.run();
  CHECK(called);
}

TEST_CASE("a timer may outlive its context", "[A12]") {
  const bool manual = GENERATE(false, true);
  const bool on_strand = GENERATE(false, true);
  const bool stepping = GENERATE(false, true);
  int alive = 0;
  std::optional<manual_clock> clock;
  std::optional<timer> pending, idle;
  {
    asio::io_context plain;
    stepping_context steps;
    asio::execution_context& context = stepping ? steps.context() : plain;
    if (manual) clock.emplace(context);
    asio::any_io_executor executor = stepping ? asio::any_io_executor(steps.get_executor())
                                              : asio::any_io_executor(plain.get_executor());
    if (on_strand) executor = asio::make_strand(executor);
    pending.emplace(executor);
    idle.emplace(executor);
    pending->start(1h, [kept = counted_alive(alive)] {});
    CHECK(alive == 1);
  }
  CHECK(alive == 0);
  if (manual) clock->advance(2h);
  pending->cancel();
  pending->start(1s, [kept = counted_alive(alive)] {});
  CHECK(alive == 0);
  idle->start(1s, [kept = counted_alive(alive)] {});
  CHECK(alive == 0);
}

TEST_CASE("a timer that only its callback owns goes with the context", "[A12]") {
  const bool expired = GENERATE(false, true);
  std::weak_ptr<timer> watch;
  {
    stepping_context context;
    manual_clock clock(context);
    auto one = std::make_shared<timer>(context.get_executor());
    auto other = std::make_shared<timer>(context.get_executor());
    watch = one;
    other->start(2h, [] {});
    one->start(1h, [one, other] {});
    if (expired) clock.advance(1h);
  }
  CHECK(watch.expired());
}

TEST_CASE("timers on a thread pool call back or are cancelled, never both") {
  asio::thread_pool pool(2);
  manual_clock clock(pool);
  const auto strand = asio::make_strand(pool.get_executor());
  constexpr int rounds = 2000;
  std::atomic<int> called = 0, cancelled = 0;
  std::atomic<bool> over = false;
  {
    timer one(strand);
    std::function<void(int)> next = [&](int round) {
      if (round == rounds) {
        over = true;
        return;
      }
      if (round % 2 == 0) {
        one.start(1ms, [&, round] {
          ++called;
          next(round + 1);
        });
      } else {
        one.start(1ms, [&] { called += rounds; });
        one.cancel();
        ++cancelled;
        asio::post(strand, [&, round] { next(round + 1); });
      }
    };
    asio::post(strand, [&] { next(0); });
    while (!over) clock.advance_to_next();
    pool.join();
  }
  CHECK(called == rounds / 2);
  CHECK(cancelled == rounds / 2);
}

}  // namespace timer_test
