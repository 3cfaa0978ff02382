// Handlers that are added and cancelled while events are dispatched, also across suspensions; and
// what a cancelled handler still has.

#include <msgbus/async/consumer.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <memory>
#include <string>

namespace consumer_changes_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::testing::stepping_context;
using msgbus_test::gate;
using msgbus_test::hop;

namespace {

struct placed {
  int id = 0;
};

}  // namespace

TEST_CASE("a handler added before or after a suspension first runs for the next event", "[D4]") {
  for (const bool suspended : {false, true}) {
    stepping_context context;
    consumer events(context.get_executor());
    int added = 0, added_any = 0;
    bool first_time = true;
    events.handler([&](const placed&) -> awaitable<void> {
      if (suspended) co_await hop();
      if (!std::exchange(first_time, false)) co_return;
      events.handler([&](const placed&) { ++added; });
      events.handler([&](msgbus::any_event) -> awaitable<void> {
        co_await hop();
        ++added_any;
      });
    });
    CHECK(context.run(events.consume(placed{})) == 1);
    CHECK(added == 0);
    CHECK(context.run(events.consume(placed{})) == 3);
    CHECK(added == 1);
    CHECK(added_any == 1);
  }
}

TEST_CASE("a handler added by others during a suspension first runs for the next event", "[D4]") {
  stepping_context context;
  consumer events(context.get_executor());
  gate open;
  int added = 0;
  events.handler([&](const placed&) { return open.wait(); });
  (void)events.post(placed{});
  context.run();
  events.handler([&](const placed&) { ++added; });
  open.open();
  context.run();
  CHECK(added == 0);
  CHECK(context.run(events.consume(placed{})) == 2);
}

TEST_CASE("a handler cancelled before its turn does not run, also if a suspension is between",
          "[D4]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::string ran;
  msgbus::subscription second, third, fourth, fifth;
  events.handler([&](const placed&) -> awaitable<void> {
    second.cancel();
    co_await hop();
    third.cancel();
    fifth.cancel();
    ran += "1";
  });
  second = events.handler([&](const placed&) { ran += "2"; });
  third = events.handler([&](const placed&) -> awaitable<void> {
    co_await hop();
    ran += "3";
  });
  fourth = events.handler([&](const placed&) { ran += "4"; });
  fifth = events.handler([&](const placed&) { ran += "5"; });
  CHECK(context.run(events.consume(placed{})) == 2);
  CHECK(ran == "14");
  CHECK_FALSE(third.active());
}

TEST_CASE("a handler may cancel itself, before and after its suspension", "[D4][D6]") {
  for (const bool suspended : {false, true}) {
    stepping_context context;
    consumer events(context.get_executor());
    auto captured = std::make_shared<int>(1);
    int sum = 0;
    msgbus::subscription mine;
    mine = events.handler([&, captured](const placed&) -> awaitable<void> {
      if (suspended) co_await hop();
      mine.cancel();
      co_await hop();
      sum += *captured;
    });
    CHECK(context.run(events.consume(placed{})) == 1);
    context.run();
    CHECK(sum == 1);
    CHECK(captured.use_count() == 1);
    CHECK(context.run(events.consume(placed{})) == 0);
  }
}

TEST_CASE("handlers may cancel each other, and both are gone", "[D6]") {
  stepping_context context;
  consumer events(context.get_executor());
  auto captured = std::make_shared<int>(1);
  msgbus::subscription a, b;
  int ran = 0;
  a = events.handler([&, captured](const placed&) {
    ++ran;
    b.cancel();
    a.cancel();
  });
  b = events.handler([&, captured](const placed&) -> awaitable<void> {
    ++ran;
    a.cancel();
    co_return;
  });
  CHECK(context.run(events.consume(placed{})) == 1);
  CHECK(ran == 1);
  CHECK(captured.use_count() == 1);
}

TEST_CASE("awaiting a cancelled subscription waits for every suspended call", "[D6]") {
  stepping_context context;
  consumer events(context.get_executor(), {.concurrency = 2});
  gate open;
  auto captured = std::make_shared<int>(1);
  int sum = 0;
  msgbus::subscription mine = events.handler([&, captured](const placed&) -> awaitable<void> {
    co_await open.wait();
    co_await hop(3);
    sum += *captured;
  });
  (void)events.post(placed{});
  (void)events.post(placed{});
  auto direct = context.spawn(events.consume(placed{}));
  context.run();
  CHECK(open.came() == 3);
  auto gone = context.spawn(mine.cancelled());
  context.run();
  CHECK_FALSE(gone.done());  // it does not cancel
  CHECK(mine.active());
  mine.cancel();
  context.run();
  CHECK_FALSE(gone.done());
  open.open();
  CHECK(context.run_until([&] { return gone.done(); }));
  CHECK(sum == 3);
  CHECK(captured.use_count() == 1);
  context.run();
  CHECK(direct.get() == 1);
  context.run(mine.cancelled());  // at once
}

TEST_CASE("the wait for a cancelled handler may be cancelled, and changes nothing", "[D6][A9]") {
  stepping_context context;
  consumer events(context.get_executor());
  msgbus::subscription mine = events.handler([](const placed&) {});
  auto gone = context.spawn(mine.cancelled());
  context.run();
  gone.cancel();
  context.run();
  CHECK(msgbus_test::is_aborted(gone.failure()));
  CHECK(mine.active());
  CHECK(context.run(events.consume(placed{})) == 1);
}

TEST_CASE("a default-made subscription is cancelled already", "[D6]") {
  stepping_context context;
  const msgbus::subscription none;
  context.run(none.cancelled());
  CHECK_FALSE(none.active());
}

TEST_CASE("a scoped subscription cancels an async handler", "[D6]") {
  stepping_context context;
  consumer events(context.get_executor());
  {
    const msgbus::scoped_subscription mine =
        events.handler([](const placed&) -> awaitable<void> { co_await hop(); });
    CHECK(context.run(events.consume(placed{})) == 1);
  }
  CHECK(context.run(events.consume(placed{})) == 0);
}

TEST_CASE("a consumer may be destroyed by its own suspended handler", "[D8][D5]") {
  stepping_context context;
  for (const bool posted : {false, true}) {
    auto events = std::make_unique<consumer>(context.get_executor());
    auto captured = std::make_shared<int>(1);
    std::string ran;
    events->handler([&, captured](const placed&) -> awaitable<void> {
      const auto kept = captured;
      co_await hop();
      events.reset();
      co_await asio::this_coro::throw_if_cancelled(false);
      co_await hop();
      ran += "1" + std::to_string(*captured);
    });
    events->handler([&, captured](const placed&) { ran += "2"; });
    if (posted) {
      (void)events->post(placed{});
      context.run();
    } else {
      auto running = context.spawn(events->consume(placed{}));
      context.run();
      CHECK(running.get() == 1);
    }
    CHECK(ran == "11");
    CHECK(captured.use_count() == 1);
  }
}

TEST_CASE("captures of a destroyed consumer's suspended handler last until it ends", "[D8]") {
  stepping_context context;
  auto events = std::make_unique<consumer>(context.get_executor());
  gate open;
  auto captured = std::make_shared<int>(7);
  int seen = 0;
  msgbus::subscription mine = events->handler([&, captured](const placed&) -> awaitable<void> {
    co_await open.wait();
    seen = *captured;
  });
  auto running = context.spawn(events->consume(placed{}));
  context.run();
  events.reset();
  CHECK_FALSE(mine.active());
  CHECK(captured.use_count() == 2);
  open.open();
  context.run(mine.cancelled());
  CHECK(seen == 7);
  CHECK(captured.use_count() == 1);
  context.run();
  CHECK(running.get() == 1);
}

}  // namespace consumer_changes_test
