// A drain without time, while handlers end on other threads.

#include <msgbus/async/consumer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

namespace drain_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::hop;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

struct ping {
  int number = 0;
};

}  // namespace

TEST_CASE("when a drain without time returns, each message has exactly one outcome", "[A7][A10]") {
  for (int round = 0; round < rounds(400); ++round) {
    asio::thread_pool pool(2);
    bus::consumer events(pool.get_executor(), {.concurrency = 4});
    if (round % 2) events.observe(std::make_shared<msgbus::observer>());
    events.handler([](const ping& event) -> awaitable<void> { co_await hop(event.number % 3); });
    for (int i = 0; i < 40; ++i) (void)events.post(ping{i});
    for (int spin = 0; spin < round % 40; ++spin) std::this_thread::yield();
    auto draining =
        asio::co_spawn(asio::make_strand(pool.get_executor()), events.drain(0s), asio::use_future);
    (void)msgbus_test::end_of(std::move(draining), "a drain");
    const msgbus::counters after = events.stats();
    CHECK(is_conserved(after));
    CHECK(after.offered == 40);
    pool.join();
    CHECK(is_conserved(events.stats()));
  }
}

}  // namespace drain_test
