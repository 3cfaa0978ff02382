// A drain while a message of a schedule is between its schedule and the mailbox.

#include <msgbus/async/consumer.hpp>
#include <msgbus/testing/manual_clock.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

namespace schedules_and_drain_test {

using msgbus::drain_report;
using msgbus::testing::manual_clock;
using msgbus_test::event;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct ping {};

template <class Condition>
void wait_until(Condition holds) {
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("waited too long");
    std::this_thread::yield();
  }
}

/// Time passes until it is there.
drain_report end_of(std::future<drain_report>& drained, manual_clock& clock) {
  wait_until([&] {
    clock.advance(1s);
    return drained.wait_for(0s) == std::future_status::ready;
  });
  return drained.get();
}

}  // namespace

TEST_CASE(
    "a scheduled message that enters the mailbox after a drain has run out of time is counted",
    "[A7][A10][P6]") {
  asio::thread_pool pool(3);
  manual_clock clock(pool);
  msgbus::async::consumer events(pool.get_executor(), {.concurrency = 2});
  events.handler([](const ping&) {});
  event is_due, drained;
  events.ordered_by<ping>([&](const ping&) {
    is_due.set();
    drained.wait();
    return 1;
  });
  (void)events.send_after(1s, ping{});
  auto first =
      asio::co_spawn(pool, events.drain(10s, {.wait_for_scheduled = true}), asio::use_future);
  wait_until([&] { return clock.waiting() == 2; });  // the schedule, and the end of the drain
  clock.advance(1s);
  is_due.wait();
  (void)end_of(first, clock);
  CHECK(is_conserved(events.stats()));
  drained.set();
  auto second = asio::co_spawn(pool, events.drain(10s), asio::use_future);
  (void)end_of(second, clock);
  pool.join();
  CHECK(is_conserved(events.stats()));
  CHECK(events.stats().accepted == 1);
  CHECK(events.stats().abandoned == 1);
}

TEST_CASE("a drain waits for a message that every() is making", "[A10][P6]") {
  asio::thread_pool pool(3);
  manual_clock clock(pool);
  msgbus::async::consumer events(pool.get_executor());
  events.handler([](const ping&) {});
  event makes, goes_on;
  const bool takes = GENERATE(true, false);
  auto all = events.every(1s, [&] {
    makes.set();
    goes_on.wait();
    return ping{};
  });
  clock.advance(1s);
  makes.wait();
  auto drained =
      asio::co_spawn(pool, events.drain({.wait_for_scheduled = takes}), asio::use_future);
  // It would be over long before.
  CHECK(drained.wait_for(100ms) == std::future_status::timeout);
  goes_on.set();
  REQUIRE(drained.wait_for(msgbus_test::deadline) == std::future_status::ready);
  CHECK(drained.get() == (takes ? drain_report{.handled = 1} : drain_report{.abandoned = 1}));
  CHECK(is_conserved(events.stats()));
  CHECK(events.stats().accepted == 1);
  pool.join();
}

}  // namespace schedules_and_drain_test
