#include <msgbus/testing/manual_clock.hpp>

#include <msgbus/detail/exec/timer.hpp>

#include "support/catch.hpp"

#include <asio/use_awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace manual_clock_test {

using msgbus::exec::timer;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

TEST_CASE("a manual clock stands still until it is advanced") {
  stepping_context context;
  manual_clock clock(context);
  const auto start = clock.now();
  CHECK(start != manual_clock::time_point{});
  CHECK(msgbus::exec::now(context.get_executor()) == start);
  clock.advance(5s);
  CHECK(clock.now() == start + 5s);
  CHECK(msgbus::exec::now(context.get_executor()) == start + 5s);
  CHECK_FALSE(clock.advance_to_next());
  CHECK(clock.until_next() == std::nullopt);
  CHECK(clock.now() == start + 5s);
}

TEST_CASE("timers expire in the order of their times, and then of their starts") {
  stepping_context context;
  manual_clock clock(context);
  std::vector<int> order;
  std::vector<std::unique_ptr<timer>> timers;
  // given: four timers
  for (const int seconds : {3, 1, 2, 1}) {
    timers.push_back(std::make_unique<timer>(context.get_executor()));
    const int which = static_cast<int>(timers.size());
    timers.back()->start(std::chrono::seconds(seconds), [&, which] { order.push_back(which); });
  }
  CHECK(clock.waiting() == 4);
  CHECK(clock.until_next() == 1s);
  // when: the clock advances past all of them
  clock.advance(10s);
  CHECK(clock.waiting() == 0);
  CHECK(order.empty());
  context.run();
  // then: their callbacks run in the order of times, and then of starts
  CHECK(order == std::vector<int>{2, 4, 3, 1});
}

TEST_CASE("a clock advances to the next time, and wakes all timers of that time") {
  stepping_context context;
  manual_clock clock(context);
  const auto start = clock.now();
  timer one(context.get_executor()), same(context.get_executor()), other(context.get_executor());
  std::string order;
  // given: two timers for the same time, and a later one
  other.start(3s, [&] { order += 'o'; });
  one.start(2s, [&] { order += 'a'; });
  same.start(2s, [&] { order += 'b'; });
  // when: the clock advances to the next time
  CHECK(clock.advance_to_next());
  CHECK(clock.now() == start + 2s);
  context.run();
  // then: both timers of that time expire
  CHECK(order == "ab");
  CHECK(clock.until_next() == 1s);
  CHECK(clock.advance_to_next());
  context.run();
  CHECK(order == "abo");
  CHECK(clock.now() == start + 3s);
  CHECK_FALSE(clock.advance_to_next());
}

TEST_CASE("advance runs no steps, and run_for does") {
  stepping_context context;
  manual_clock clock(context);
  int naps = 0;
  // given: a coroutine that sleeps repeatedly
  auto nap = [&]() -> asio::awaitable<void> {
    for (;;) {
      co_await msgbus::exec::sleep(1s);
      ++naps;
    }
  };
  const auto running = context.spawn(nap());
  // then: run_for runs it for each second
  clock.run_for(context, 5s);
  CHECK(naps == 5);
  // then: advance only makes the next step due
  clock.advance(5s);
  CHECK(naps == 5);
  context.run();
  CHECK(naps == 6);
  // then: run_for counts from the current time
  clock.run_for(context, 500ms);
  CHECK(naps == 6);
  clock.run_for(context, 500ms);
  CHECK(naps == 7);
}

TEST_CASE("an awaitable runs to its end without real time") {
  stepping_context context;
  manual_clock clock(context);
  const auto start = clock.now();
  auto work = []() -> asio::awaitable<std::string> {
    for (int day = 0; day < 100; ++day) co_await msgbus::exec::sleep(24h);
    co_return "done";
  };
  CHECK(clock.run(context, work()) == "done");
  CHECK(clock.now() == start + 100 * 24h);
  CHECK_THROWS_AS(context.run(work()), msgbus::testing::stuck);
}

TEST_CASE("a context keeps the time of a destroyed clock, which stands still") {
  stepping_context context;
  std::optional<manual_clock> clock(std::in_place, context);
  clock->advance(1h);
  const auto last = clock->now();
  timer one(context.get_executor());
  one.start(1s, [] {});
  clock.reset();
  CHECK(msgbus::exec::now(context.get_executor()) == last);
  CHECK(context.run() == 0);
  one.start(1s, [] {});
}

TEST_CASE("an infinite wait does not overflow") {
  stepping_context context;
  manual_clock clock(context);
  timer one(context.get_executor());
  one.start(manual_clock::duration::max(), [] {});
  clock.advance(1h);
  CHECK(context.run() == 0);
  CHECK(clock.waiting() == 1);
}

TEST_CASE("an infinite wait is never due, and a wait with a negative time ends at once") {
  stepping_context context;
  manual_clock clock(context);
  timer endless(context.get_executor());
  timer finite(context.get_executor());
  timer over(context.get_executor());
  int rung = 0;
  // given: an infinite wait
  endless.start(manual_clock::duration::max(), [] { FAIL("for ever has passed"); });
  CHECK(!clock.until_next());
  CHECK_FALSE(clock.advance_to_next());
  // then: a negative wait ends at once
  over.start(manual_clock::duration::min(), [&] { ++rung; });
  context.run();
  CHECK(rung == 1);
  // then: a long wait is due at its time
  finite.start(24h * 36500, [&] { ++rung; });
  CHECK(clock.until_next() == 24h * 36500);
  const auto before = clock.now();
  clock.advance(manual_clock::duration::min());
  CHECK(clock.now() == before);
  // when: the clock advances as far as possible
  if (GENERATE(false, true)) {
    clock.advance(manual_clock::duration::max());
  } else {
    clock.run_for(context, manual_clock::duration::max());
  }
  clock.advance(manual_clock::duration::max());
  context.run();
  // then: only the finite waits have ended
  CHECK(rung == 2);
  CHECK(clock.waiting() == 1);
}

}  // namespace manual_clock_test
