// Several processes share a durable name, and what each of them leaves to the others.

#include <msgbus/async/host.hpp>
#include <msgbus/async/sleep.hpp>
#include <msgbus/bridge/bridge.hpp>

#include <msgbus/detail/exec/timer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/shop.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace durable_shared_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::durable_options;
using msgbus::errc;
using msgbus::async::consumer;
using msgbus::async::subscriber;
using msgbus_test::adds_up;
using msgbus_test::billing;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::shop;
using namespace std::chrono_literals;

TEST_CASE("several processes share the messages of a durable name") {
  shop all;
  bridge also = all.connect("also");
  subscriber to(all.executor(), {.capacity = 2});
  std::vector<int> seen(20, 0);
  to.subscribe("orders.*", [&](int number) -> awaitable<void> {
    co_await hop();
    ++seen[static_cast<std::size_t>(number)];
  });
  subscriber to_also(all.executor(), {.capacity = 2});
  to_also.subscribe("orders.*", [&](int number) { ++seen[static_cast<std::size_t>(number)]; });
  bridge_link one = all.join(to);
  bridge_link two = all.clock.run(all.steps, also.durable<int>(to_also, "orders.>", billing()));
  for (int i = 0; i < 20; ++i) all.store(i);
  all.live();
  CHECK(std::count(seen.begin(), seen.end(), 1) == 20);
  CHECK(one.stats().acks + two.stats().acks == 20);
  CHECK(one.stats().acks > 0);
  CHECK(two.stats().acks > 0);
}

TEST_CASE("messages that a dying process has not handled are handled by another one") {
  shop all;
  auto weak = std::make_unique<bridge>(all.connect("weak"));
  subscriber to_weak(all.executor());
  msgbus_test::gate never;
  int begun = 0;
  to_weak.subscribe("orders.*", [&](int) -> awaitable<void> {
    ++begun;
    co_await never.wait();
  });
  (void)all.clock.run(all.steps, weak->durable<int>(to_weak, "orders.>", billing()));
  for (int i = 0; i < 5; ++i) all.store(i);
  all.live(1s);
  CHECK(begun == 1);
  subscriber to(all.executor());
  std::vector<int> got;
  to.subscribe("orders.*", [&](int number) { got.push_back(number); });
  bridge_link in = all.join(to);
  weak.reset();
  all.live(100s);
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(in.stats().acks == 5);
  never.open();
  all.live();
}

TEST_CASE("a closing subscriber leaves unhandled messages to others immediately") {
  shop all;
  bridge also = all.connect("also");
  auto first = std::make_unique<subscriber>(all.executor());
  msgbus_test::gate gate;
  first->subscribe("orders.*", [&](int) -> awaitable<void> { co_await gate.wait(); });
  bridge_link one = all.join(*first);
  for (int i = 0; i < 5; ++i) all.store(i);
  all.live(1s);
  subscriber second(all.executor());
  std::vector<int> got;
  second.subscribe("orders.*", [&](int number) { got.push_back(number); });
  (void)all.clock.run(all.steps, also.durable<int>(second, "orders.>", billing()));
  first.reset();
  all.live(1s);
  CHECK(got.size() >= 4);  // all but the one that is still being handled
  gate.open();
  all.live(100s);
  std::sort(got.begin(), got.end());
  got.erase(std::unique(got.begin(), got.end()), got.end());
  CHECK(got.size() >= 4);
  CHECK(one.stats().in_flight == 0);
  CHECK(adds_up(one.stats()));
}

TEST_CASE("a drained bridge finishes the messages that it has, and returns the rest", "[B8]") {
  shop all;
  subscriber to(all.executor(), {.capacity = 4});
  msgbus_test::gate gate;
  int handled = 0;
  to.subscribe("orders.*", [&](int) -> awaitable<void> {
    co_await gate.wait();
    ++handled;
  });
  for (int i = 0; i < 10; ++i) all.store(i);
  bridge_link in = all.join(to);
  all.steps.run();
  auto draining = all.steps.spawn(all.handles.drain(10s));
  all.steps.run();
  CHECK_FALSE(draining.done());
  gate.open();
  all.steps.run();
  REQUIRE(draining.done());
  CHECK(draining.get().handled == 4);
  CHECK(handled == 4);
  CHECK(in.stats().acks == 4);
  CHECK(in.stats().in_flight == 0);
  // The rest is there for another one.
  subscriber second(all.executor());
  std::vector<int> got;
  second.subscribe("orders.*", [&](int number) { got.push_back(number); });
  (void)all.clock.run(all.steps, all.mourns.durable<int>(second, "orders.>", billing()));
  all.live(1s);
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<int>{4, 5, 6, 7, 8, 9});
}

TEST_CASE("a drain without enough time reports the rest, which is redelivered elsewhere") {
  shop all;
  subscriber to(all.executor());
  msgbus_test::gate never;
  to.subscribe("orders.*", [&](int) -> awaitable<void> { co_await never.wait(); });
  all.store(1);
  bridge_link in = all.join(to);
  all.steps.run();
  const auto report = all.clock.run(all.steps, all.handles.drain(2s));
  CHECK(report.abandoned == 1);
  CHECK(report.handled == 0);
  subscriber second(all.executor());
  int got = 0;
  second.subscribe("orders.*", [&](int) { ++got; });
  (void)all.clock.run(all.steps, all.mourns.durable<int>(second, "orders.>", billing()));
  all.live(60s);
  CHECK(got == 1);
  never.open();
  all.steps.run();
  CHECK(in.stats().unsettled == 1);
}

TEST_CASE("a host reports a delivery that its bridge does not settle in time once", "[A10][B8]") {
  shop all;
  subscriber to(all.executor());
  msgbus_test::gate open;
  to.subscribe("orders.*", [&](int) -> awaitable<void> { co_await open.wait(); });
  all.store(1);
  bridge_link in = all.join(to);
  all.steps.run();
  msgbus::async::host program(all.executor());
  program.add("nats", all.handles);
  program.stop();
  auto running = all.steps.spawn(program.run({.deadline = 2s}));
  all.steps.run();
  while (!running.done() && all.clock.advance_to_next()) all.steps.run();
  REQUIRE(running.done());
  const auto report = running.get().components.front().report;
  CHECK(report == msgbus::drain_report{.abandoned = 1});
  open.open();
  all.steps.run();
}

TEST_CASE("a host reports a delivery once that is settled after its bridge's intake", "[A10][B8]") {
  shop all;
  subscriber to(all.executor());
  to.subscribe("orders.*", [&](int) -> awaitable<void> {
    co_await msgbus::async::sleep(1h);  // until it is cancelled
  });
  all.store(1);
  bridge_link in = all.join(to);
  all.steps.run();
  msgbus::async::host program(all.executor());
  program.add("orders", to);
  program.add("nats", all.handles);
  program.stop();
  auto running = all.steps.spawn(program.run({.deadline = 2s}));
  all.steps.run();
  while (!running.done() && all.clock.advance_to_next()) all.steps.run();
  REQUIRE(running.done());
  const auto report = running.get().components.at(1).report;
  CHECK(report == msgbus::drain_report{.failed = 1});  // it was handed back
}

TEST_CASE("events are kept by streams too") {
  shop all;
  all.make_stream("EVENTS", "events.>");
  consumer to(all.executor());
  std::vector<int> got;
  to.handler([&](const int& number) { got.push_back(number); });
  durable_options how = billing();
  how.stream = "EVENTS";
  bridge_link in = all.clock.run(all.steps, all.handles.durable<int>(to, how));
  (void)all.clock.run(all.steps, all.stores.store_event(3));
  all.live();
  CHECK(got == std::vector<int>{3});
  CHECK(in.stats().acks == 1);
}

TEST_CASE("a stream that is not there is an error that names it") {
  shop all;
  subscriber to(all.executor());
  durable_options how = billing();
  how.stream = "NOTHING";
  CHECK(code_of([&] { (void)all.join(to, how); }) == errc::transport_failed);
}

TEST_CASE("whatever ends first, at whatever step, nothing that was stored is lost",
          "[A7][A12][B2]") {
  for (int which = 0; which < 3; ++which) {
    for (int steps = 0; steps < 30; ++steps) {
      shop all;
      auto fragile = std::make_unique<bridge>(all.connect("fragile"));
      auto to = std::make_unique<subscriber>(all.executor());
      std::vector<int> seen(4, 0);
      const auto handle = [&](int number) -> awaitable<void> {
        co_await hop(2);
        ++seen[static_cast<std::size_t>(number)];
      };
      to->subscribe("orders.*", handle);
      (void)all.clock.run(all.steps, fragile->durable<int>(*to, "orders.>", billing()));
      for (int i = 0; i < 4; ++i) all.store(i);
      for (int i = 0; i < steps; ++i) (void)all.steps.step();
      if (which == 0) to.reset();
      if (which == 1) fragile.reset();
      if (which == 2) {
        auto draining = all.steps.spawn(fragile->drain(1s));
        all.live(2s);
        CHECK(draining.done());
      }
      subscriber safe(all.executor());
      safe.subscribe("orders.*", handle);
      (void)all.clock.run(all.steps, all.handles.durable<int>(safe, "orders.>", billing()));
      all.live(200s);
      CHECK(std::count(seen.begin(), seen.end(), 0) == 0);
    }
  }
}

}  // namespace durable_shared_test
