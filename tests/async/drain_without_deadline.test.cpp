// A drain that has no deadline waits for everything, and cancels nothing (A10, P6).

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/stderr_of.hpp"
#include "support/thrown.hpp"

#include <asio/this_coro.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drain_without_deadline_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::errc;
using msgbus::forever;
using msgbus::scheduled;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

struct fresh {
  explicit fresh(msgbus::mailbox_options options = {}) : events(context.get_executor(), options) {
    events.observe(std::make_shared<msgbus::observer>());
  }
  stepping_context context;
  manual_clock clock{context};
  consumer events;
  std::vector<int> got;
};

}  // namespace

TEST_CASE("a drain without a deadline waits for scheduled messages, however late they are",
          "[P6][A10]") {
  fresh t;
  t.events.handler([&](const numbered& each) { t.got.push_back(each.n); });
  const scheduled soon = t.events.send_after(1s, numbered{1});
  const scheduled late = t.events.send_after(10'000h, numbered{2});
  const scheduled again = t.events.every(1s, [] { return numbered{3}; });
  auto drained = t.context.spawn(t.events.drain({.wait_for_scheduled = true}));
  t.context.run();
  // then: nothing new is accepted, and recurring schedules have ended
  CHECK(again.done());
  CHECK(t.events.post(numbered{4}).rejected == 1);
  CHECK(t.events.send_after(1s, numbered{5}).done());
  // then: it has no timer of its own
  CHECK(t.clock.waiting() == 1);
  t.clock.run_for(t.context, 9'999h);
  CHECK_FALSE(drained.done());
  t.clock.run_for(t.context, 1h);
  CHECK(drained.get() == drain_report{.handled = 2});
  CHECK(t.got == std::vector{1, 2});
  CHECK(soon.done());
  CHECK(late.done());
  CHECK(t.clock.waiting() == 0);
  CHECK(is_conserved(t.events.stats()));
}

TEST_CASE("a drain without a deadline ends when the last scheduled message is cancelled",
          "[P6][A10]") {
  fresh t;
  t.events.handler([&](const numbered& each) { t.got.push_back(each.n); });
  scheduled late = t.events.send_after(1h, numbered{1});
  auto drained = t.context.spawn(t.events.drain({.wait_for_scheduled = true}));
  t.context.run();
  CHECK_FALSE(drained.done());
  CHECK(late.cancel());
  t.context.run();
  CHECK(drained.get() == drain_report{});
}

TEST_CASE("a drain without a deadline abandons messages that are never due, and reports them",
          "[P6][A10]") {
  const std::string text = msgbus_test::stderr_of([] {
    fresh t;
    t.events.observe(nullptr);
    int abandoned = 0;
    t.events.on_abandoned<numbered>([&](const numbered& each) { abandoned += each.n; });
    t.events.handler([&](const numbered& each) { t.got.push_back(each.n); });
    producer source;
    source.bind(t.events);
    const scheduled never = t.events.send_after(forever, numbered{1});
    const scheduled of_producer = source.send_after(forever, numbered{10});
    scheduled cancelled = t.events.send_after(forever, numbered{100});
    CHECK(cancelled.cancel());
    (void)t.events.send_after(1h, numbered{2});
    auto drained = t.context.spawn(t.events.drain({.wait_for_scheduled = true}));
    t.context.run();
    CHECK(never.done());
    CHECK(of_producer.done());
    CHECK(abandoned == 11);
    CHECK_FALSE(drained.done());
    t.clock.run_for(t.context, 1h);
    CHECK(drained.get() == drain_report{.handled = 1, .abandoned = 2});
    CHECK(t.got == std::vector{2});
    CHECK(t.events.due_later() == 0);
    CHECK(is_conserved(t.events.stats()));
  });
  CHECK(text.empty());  // the report tells of them
}

TEST_CASE("a drain without a deadline cancels no handler", "[A10]") {
  fresh t;
  gate open;
  bool was_cancelled = false;
  t.events.handler([&](const numbered& each) -> awaitable<void> {
    co_await open.wait();
    const auto state = co_await asio::this_coro::cancellation_state;
    was_cancelled = state.cancelled() != asio::cancellation_type::none;
    t.got.push_back(each.n);
  });
  for (int i = 1; i < 4; ++i) (void)t.events.post(numbered{i});
  const scheduled late = t.events.send_after(1h, numbered{4});
  t.context.run();
  auto drained = t.context.spawn(t.events.drain({.grace = 10s}));  // a grace means nothing
  t.clock.run_for(t.context, 1000h);
  CHECK(late.done());  // given up: nobody asked to wait for it
  CHECK_FALSE(drained.done());
  open.open();
  t.context.run();
  CHECK(drained.get() == drain_report{.handled = 3, .abandoned = 1});
  CHECK_FALSE(was_cancelled);
  CHECK(t.got == std::vector{1, 2, 3});
}

TEST_CASE("every component with a mailbox has a drain without a deadline", "[A10]") {
  fresh t;
  subscriber news(t.context.get_executor());
  int heard = 0;
  news.subscribe("a", [&](int) { ++heard; });
  service house(t.context.get_executor());
  int rung = 0;
  house.handler("ring", [&] { ++rung; });
  (void)news.send_after(1h, 1, "a");
  (void)house.send_after(2h, "ring");
  CHECK(t.clock.run(t.context, news.drain({.wait_for_scheduled = true})).handled == 1);
  CHECK(t.clock.run(t.context, house.drain({.wait_for_scheduled = true})).handled == 1);
  CHECK(heard == 1);
  CHECK(rung == 1);
}

TEST_CASE(
    "a handler that drains its own component without a deadline gets an error, and does not hang",
    "[A10][A6]") {
  fresh t;
  std::error_code code;
  t.events.handler([&](const numbered&) -> awaitable<void> {
    std::exception_ptr failure;
    try {
      auto draining = t.events.drain({.wait_for_scheduled = true});
      (void)co_await std::move(draining);
    } catch (...) {
      failure = std::current_exception();
    }
    code = code_of([&] { std::rethrow_exception(failure); });
  });
  (void)t.events.post(numbered{1});
  t.context.run();
  CHECK(code == errc::would_deadlock);
  CHECK(t.events.post(numbered{2}).admitted == 1);  // nothing was closed
  t.context.run();
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("a cancelled drain without a deadline leaves the component closed, and handles the rest",
          "[A10][A9]") {
  fresh t;
  t.events.handler([&](const numbered& each) { t.got.push_back(each.n); });
  (void)t.events.send_after(1h, numbered{1});
  auto drained = t.context.spawn(t.events.drain({.wait_for_scheduled = true}));
  t.context.run();
  drained.cancel();
  t.context.run();
  CHECK(is_aborted(drained.failure()));
  t.clock.run_for(t.context, 1h);
  CHECK(t.got == std::vector{1});
  CHECK(t.events.post(numbered{2}).rejected == 1);
}

TEST_CASE("several drains of one component, with and without a deadline, each get a report",
          "[A10]") {
  fresh t;
  t.events.handler([&](const numbered& each) { t.got.push_back(each.n); });
  (void)t.events.send_after(1h, numbered{1});
  (void)t.events.send_after(3h, numbered{2});
  auto patient = t.context.spawn(t.events.drain({.wait_for_scheduled = true}));
  t.context.run();
  auto hasty = t.context.spawn(t.events.drain(2h, {.grace = 0s, .wait_for_scheduled = true}));
  t.clock.run_for(t.context, 2h);
  // then: the one with the deadline ends both
  CHECK(hasty.get() == drain_report{.handled = 1, .abandoned = 1});
  CHECK(patient.get() == drain_report{.handled = 1, .abandoned = 1});
  CHECK(t.got == std::vector{1});
}

}  // namespace drain_without_deadline_test
