// A message of every() that cannot be made, while a drain runs out of time.

#include <msgbus/async/consumer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>

namespace every_and_drain_test {

using asio::awaitable;
using msgbus_test::end_of;
using msgbus_test::event;
using msgbus_test::gate;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct ping {};
struct tick {};

}  // namespace

TEST_CASE("a message that cannot be made after a drain has run out of time has one outcome",
          "[A7][A10][P6]") {
  asio::thread_pool pool(3);
  msgbus::async::consumer events(pool.get_executor(), {.concurrency = 2});
  events.observe(std::make_shared<msgbus::observer>());
  gate stuck;
  events.handler([&](const ping&) -> awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await stuck.wait();
  });
  events.handler([](const tick&) {});
  event makes, drained;
  auto ticks = events.every(1ms, [&]() -> tick {
    makes.set();
    drained.wait();
    throw std::runtime_error("there is none");
  });
  (void)events.post(ping{});
  makes.wait();
  const auto first = end_of(asio::co_spawn(pool, events.drain(1ms), asio::use_future), "a drain");
  CHECK(first.abandoned == 1);
  CHECK(is_conserved(events.stats()));
  drained.set();
  stuck.open();
  (void)end_of(asio::co_spawn(pool, events.drain(msgbus::drain_options{}), asio::use_future),
               "a drain");
  pool.join();
  CHECK(events.stats().failed == 1);
  CHECK(is_conserved(events.stats()));
}

}  // namespace every_and_drain_test
