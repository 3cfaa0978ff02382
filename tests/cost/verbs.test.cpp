// Handlers of awaited verbs get a coroutine of their own only where somebody can cancel the verb.

#include <msgbus/async.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <exception>

namespace verbs_test {

using asio::awaitable;
using msgbus::async::consumer;

namespace {

struct numbered {
  int n = 0;
};

/// Allocations of so many verbs, on a thread whose caches are warm.
awaitable<long> cost(consumer& events, int verbs) {
  for (int i = 0; i < 100; ++i) (void)co_await events.consume<numbered>(i);
  const long before = msgbus_test::allocations;
  for (int i = 0; i < verbs; ++i) (void)co_await events.consume<numbered>(i);
  co_return msgbus_test::allocations - before;
}

long cost(awaitable<long> (*run)(consumer&, int), consumer& events, asio::io_context& io,
          bool cancellable) {
  long counted = -1;
  asio::cancellation_signal signal;
  const auto slot = cancellable ? signal.slot() : asio::cancellation_slot();
  auto ended = [&](const std::exception_ptr& failure, long allocations) {
    if (!failure) counted = allocations;
  };
  asio::co_spawn(io, run(events, 1000), asio::bind_cancellation_slot(slot, ended));
  io.restart();
  io.run();
  return counted;
}

}  // namespace

TEST_CASE("a verb that nobody can cancel allocates nothing for a coroutine handler") {
  asio::io_context io;
  consumer events(io.get_executor());
  int sum = 0;
  events.handler([&](const numbered& each) -> awaitable<void> {
    sum += each.n;
    co_return;
  });
  CHECK(cost(&cost, events, io, false) == 0);
  CHECK(cost(&cost, events, io, true) > 1000);  // its handlers have their own coroutine
}

TEST_CASE("a verb that can be cancelled allocates nothing for a plain handler") {
  asio::io_context io;
  consumer events(io.get_executor());
  int sum = 0;
  events.handler([&](const numbered& each) { sum += each.n; });
  CHECK(cost(&cost, events, io, false) == 0);
  CHECK(cost(&cost, events, io, true) == 0);
}

}  // namespace verbs_test
