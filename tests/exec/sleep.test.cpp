// Sleeps, and waits with a limit.

#include <msgbus/detail/exec/timer.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thread_group.hpp"
#include "support/thrown.hpp"

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

namespace sleep_test {

using msgbus::exec::timer;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::counted_alive;
using namespace std::chrono_literals;

TEST_CASE("a sleep obeys the context's clock") {
  stepping_context context;
  manual_clock clock(context);
  auto first = context.spawn(msgbus::exec::sleep(2s));
  auto second = context.spawn(msgbus::exec::sleep(1s));
  context.run();
  CHECK(clock.waiting() == 2);
  clock.advance(1s);
  context.run();
  CHECK(second.done());
  CHECK_FALSE(first.done());
  clock.advance(1s);
  context.run();
  CHECK(first.done());
  first.get();
  second.get();
  CHECK(msgbus::exec::now(context.get_executor()) == clock.now());
}

TEST_CASE("a sleep without a clock takes its time") {
  asio::io_context context;
  bool over = false;
  auto nap = [&]() -> asio::awaitable<void> {
    co_await msgbus::exec::sleep(2ms);
    co_await msgbus::exec::sleep(0ms);
    over = true;
  };
  const auto before = std::chrono::steady_clock::now();
  const msgbus::testing::spawned<void> running(context.get_executor(), nap());
  context.run();
  CHECK(over);
  CHECK(std::chrono::steady_clock::now() - before >= 2ms);
}

TEST_CASE("a sleep of no time lets others run") {
  stepping_context context;
  manual_clock clock(context);
  std::string done;
  auto nap = [&]() -> asio::awaitable<void> {
    asio::post(context.get_executor(), [&] { done += 'o'; });
    co_await msgbus::exec::sleep(0s);
    done += 'n';
    co_await msgbus::exec::sleep(-1s);
  };
  context.run(nap());
  CHECK(done == "on");
}

TEST_CASE("a cancelled sleep ends with operation_aborted", "[A9]") {
  stepping_context context;
  const bool manual = GENERATE(false, true);
  std::optional<manual_clock> clock;
  if (manual) clock.emplace(context);
  auto running = context.spawn(msgbus::exec::sleep(1h));
  context.run();
  running.cancel();
  context.run();
  REQUIRE(running.done());
  CHECK(code_of(running.failure()) == asio::error::operation_aborted);
  if (manual) CHECK(clock->waiting() == 0);
}

TEST_CASE("a sleep hears every kind of cancellation that its coroutine lets through", "[A9]") {
  stepping_context context;
  manual_clock clock(context);
  auto nap = []() -> asio::awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await msgbus::exec::sleep(1h);
  };
  auto running = context.spawn(nap());
  context.run();
  running.cancel(asio::cancellation_type::total);
  context.run();
  CHECK(code_of(running.failure()) == asio::error::operation_aborted);
}

TEST_CASE("a sleeping coroutine goes with its context", "[A12]") {
  const bool manual = GENERATE(false, true);
  const bool woken = GENERATE(false, true);
  int alive = 0;
  std::optional<manual_clock> clock;
  {
    stepping_context context;
    if (manual) clock.emplace(context);
    auto nap = [](counted_alive) -> asio::awaitable<void> { co_await msgbus::exec::sleep(1h); };
    const auto running = context.spawn(nap(counted_alive(alive)));
    context.run();
    CHECK(alive == 1);
    if (manual && woken) clock->advance(1h);
  }
  CHECK(alive == 0);
  if (manual) {
    CHECK(clock->waiting() == 0);
    clock->advance(1h);
  }
}

TEST_CASE("sleepers on a thread pool all wake") {
  asio::thread_pool pool(2);
  manual_clock clock(pool);
  constexpr int sleepers = 20, naps = 50;
  std::atomic<int> over = 0;
  auto nap = [&](int which) -> asio::awaitable<void> {
    for (int i = 0; i < naps; ++i) co_await msgbus::exec::sleep(std::chrono::milliseconds(which));
    ++over;
  };
  std::vector<msgbus::testing::spawned<void>> running;
  for (int i = 1; i <= sleepers; ++i) running.emplace_back(pool.get_executor(), nap(i));
  while (over < sleepers) clock.advance_to_next();
  pool.join();
  for (auto& each : running) each.get();
}

TEST_CASE("the longest wait does not end, and a negative one ends at once") {
  asio::io_context context;
  timer endless(context.get_executor());
  timer over(context.get_executor());
  int rung = 0;
  endless.start(msgbus::exec::clock::duration::max(), [] { FAIL("for ever has passed"); });
  over.start(msgbus::exec::clock::duration::min(), [&] { ++rung; });
  while (rung == 0) context.run_one();
  context.poll();
  CHECK(rung == 1);
  endless.cancel();
  context.run();
}

TEST_CASE("a wait for an event has a time limit, and a name for when it is cancelled", "[A9]") {
  stepping_context context;
  manual_clock clock(context);
  auto event = std::make_shared<msgbus::exec::one_shot_event>();
  auto waiting = context.spawn(msgbus::exec::wait_for(event, 5s, "an answer"));
  context.run();
  CHECK_FALSE(waiting.done());
  SECTION("the event comes first") {
    event->set();
    context.run();
    CHECK_FALSE(waiting.failure());
    CHECK(clock.waiting() == 0);
  }
  SECTION("the time is over") {
    clock.run_for(context, 5s);
    CHECK_FALSE(waiting.failure());
  }
  SECTION("it is cancelled") {
    waiting.cancel();
    context.run();
    CHECK(code_of(waiting.failure()) == asio::error::operation_aborted);
    CHECK(clock.waiting() == 0);
  }
  CHECK(waiting.done());
}

}  // namespace sleep_test
