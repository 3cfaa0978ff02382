// What it costs to bring an idle component to life, and what one keeps of memory.

#include <msgbus/async.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <thread>

namespace wakes_test {

using msgbus::async::consumer;

namespace {

struct paid {
  long number;
  double amount;
};

}  // namespace

TEST_CASE("a post that starts a consumer loop allocates nothing, from any thread") {
  asio::io_context context(1);
  const auto check = [&](const asio::any_io_executor& on, long most) {
    consumer events(on);
    long handled = 0;
    events.handler([&](const paid&) { ++handled; });
    const auto round = [&] {
      std::thread([&] { (void)events.post(paid{1, 2}); }).join();
      context.restart();
      context.run();
    };
    for (int i = 0; i < 40; ++i) round();
    long allocated = 0;
    for (int i = 0; i < 100; ++i) {
      std::thread([&] {
        const long before = msgbus_test::allocations;
        (void)events.post(paid{1, 2});
        allocated += msgbus_test::allocations - before;
      }).join();
      context.restart();
      context.run();
    }
    CHECK(handled == 140);
    CHECK(allocated <= most);
  };
  check(context.get_executor(), 10);  // a block of the queue, each 16 messages
  check(asio::make_strand(context), 110);
}

TEST_CASE("a message for an idle component takes one turn on its executor") {
  asio::io_context context(1);
  consumer events(context.get_executor());
  long handled = 0;
  events.handler([&](const paid&) { ++handled; });
  for (long each = 1; each <= 3; ++each) {
    (void)events.post(paid{each, 2});
    context.restart();
    CHECK(context.poll() == 1);
    CHECK(handled == each);
  }
}

}  // namespace wakes_test
