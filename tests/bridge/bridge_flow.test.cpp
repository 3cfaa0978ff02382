// Links between full mailboxes, and the end of links and bridges.

#include <msgbus/bridge/bridge.hpp>

#include "support/bridge_fixture.hpp"

namespace bridge_flow_test {

using namespace bridge_test;

TEST_CASE("a slow subscriber holds incoming messages back, within bounds", "[B1][B5]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor(), {.capacity = 2});
  msgbus_test::gate gate;
  int seen = 0;
  to.subscribe("a", [&](int) -> awaitable<void> {
    co_await gate.wait();
    ++seen;
  });
  auto in = there.inbound<int>(to, "a", {.buffer = 4});
  here.outbound<int>(from, "a");
  for (int i = 0; i < 40; ++i) {
    (void)from.post(i, "a");
    all.steps.run();
  }
  CHECK(to.waiting() == 2);
  CHECK(in.stats().dropped > 0);
  const auto received = in.stats().received;
  CHECK(received <= 1 + 2 + 1 + 4);
  gate.open();
  all.steps.run();
  CHECK(in.stats().received + in.stats().dropped == 40);
  CHECK(in.stats().admitted == in.stats().received);
  CHECK(seen == static_cast<int>(in.stats().admitted));
}

TEST_CASE("a message that finds room does not overtake those that wait for it", "[A4][B1]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    msgbus::testing::stepping_context steps(msgbus::testing::shuffled{seed});
    msgbus::memory_broker broker;
    bridge here(broker.connect(steps.get_executor()));
    bridge there(broker.connect(steps.get_executor()));
    publisher from;
    subscriber to(steps.get_executor(), {.capacity = 2});
    std::vector<int> seen;
    to.subscribe("a", [&](int number) -> awaitable<void> {
      co_await asio::post(asio::use_awaitable);
      seen.push_back(number);
    });
    auto in = there.inbound<int>(to, "a");
    here.outbound<int>(from, "a");
    std::uint64_t most_waiting = 0;
    int sent = 0;
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < round % 7; ++i) (void)from.post(sent++, "a");
      for (int step = 0; step < 40 && steps.step(); ++step) {
        most_waiting = std::max(most_waiting, in.stats().waiting);
      }
    }
    steps.run();
    REQUIRE(seen.size() == static_cast<std::size_t>(sent));
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(in.stats().waiting == 0);
    CHECK(most_waiting > 0);
  }
}

TEST_CASE("a cancelled link takes nothing more, and its handle may be dropped before") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  auto in = there.inbound<int>(to, "a");
  auto out = here.outbound<int>(from, "a");
  CHECK(there.links().size() == 1);
  (void)from.post(1, "a");
  all.steps.run();
  in.cancel();
  CHECK_FALSE(in.active());
  CHECK(there.links().empty());
  (void)from.post(2, "a");
  all.steps.run();
  CHECK(seen == 1);
  out.cancel();
  CHECK(from.post(3, "a") == msgbus::receipt{});
  CHECK(from.unrouted() == 1);
}

TEST_CASE("a component that is closed or destroyed ends its links") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  auto to = std::make_unique<subscriber>(all.executor());
  to->subscribe("a", [](int) {});
  auto in = there.inbound<int>(*to, "a");
  here.outbound<int>(from, "a");
  to.reset();
  (void)from.post(1, "a");
  all.steps.run();
  CHECK(in.stats().refused == 1);
  CHECK_FALSE(in.active());
}

TEST_CASE("a draining bridge sends waiting outbound messages, and accepts nothing new", "[B8]") {
  neighbourhood all;
  bridge here = all.connect();
  bridge there = all.connect();
  publisher from;
  subscriber to(all.executor());
  int seen = 0;
  to.subscribe("a", [&](int) { ++seen; });
  there.inbound<int>(to, "a");
  auto out = here.outbound<int>(from, "a");
  for (int i = 0; i < 100; ++i) (void)from.post(i, "a");
  const msgbus::drain_report report = all.steps.run(here.drain(5s));
  CHECK(report.handled > 0);
  CHECK(report.failed == 0);
  CHECK(report.abandoned == 0);
  CHECK(out.stats().sent == 100);
  all.steps.run();
  CHECK(seen == 100);
  CHECK(here.links().empty());
  CHECK(code_of([&] { (void)here.outbound<int>(from, "b"); }) == errc::closed);
  CHECK(from.post(1, "a") == msgbus::receipt{});
}

TEST_CASE("a received message that goes on through a component's mailbox still goes out", "[B8]") {
  neighbourhood all;
  bridge front = all.connect();
  bridge middle = all.connect();
  bridge back = all.connect();
  publisher start;
  publisher go_on;
  subscriber first(all.executor());
  consumer second(all.executor());
  subscriber last(all.executor());
  int arrived = 0;
  first.subscribe("a", [&](int n) { (void)second.post(n); });
  second.handler([&](const int& n) -> awaitable<void> {
    co_await hop(3);
    (void)go_on.post(n, "b");
  });
  last.subscribe("b", [&](int) { ++arrived; });
  middle.inbound<int>(first, "a");
  middle.outbound<int>(go_on, "b");
  back.inbound<int>(last, "b");
  front.outbound<int>(start, "a");
  for (int i = 0; i < 20; ++i) (void)start.post(i, "a");
  for (int i = 0; i < 15; ++i) (void)all.steps.step();
  const auto end = [&]() -> awaitable<void> {
    (void)co_await front.drain(5s);
    (void)co_await middle.drain_inbound(5s);
    (void)co_await first.drain(5s);
    (void)co_await second.drain(5s);
    (void)co_await middle.drain(5s);
  };
  all.steps.run(end());
  all.steps.run();
  CHECK(arrived == 20);
}

TEST_CASE("invalid patterns are refused where they are given", "[T7]") {
  neighbourhood all;
  bridge here = all.connect();
  publisher from;
  subscriber to(all.executor());
  CHECK(code_of([&] { (void)here.outbound<int>(from, "a..b"); }) == errc::invalid_topic);
  CHECK(code_of([&] { (void)here.inbound<int>(to, ">.a"); }) == errc::invalid_topic);
}

TEST_CASE("everything may be destroyed in any order, amid traffic", "[A12][D8]") {
  for (int order_of_end = 0; order_of_end < 4; ++order_of_end) {
    for (int steps = 0; steps < 40; ++steps) {
      auto all = std::make_unique<neighbourhood>();
      auto here = std::make_unique<bridge>(all->connect());
      auto there = std::make_unique<bridge>(all->connect());
      auto from = std::make_unique<publisher>();
      auto to = std::make_unique<subscriber>(all->executor());
      to->subscribe("a", [](int) -> awaitable<void> { co_await hop(); });
      there->inbound<int>(*to, "a");
      here->outbound<int>(*from, "a");
      for (int i = 0; i < 3; ++i) (void)from->post(i, "a");
      for (int i = 0; i < steps; ++i) (void)all->steps.step();
      if (order_of_end == 0) to.reset();
      if (order_of_end == 1) there.reset();
      if (order_of_end == 2) here.reset();
      if (order_of_end == 3) from.reset();
      if (steps % 2 == 0) all->steps.run();
      here.reset();
      there.reset();
      from.reset();
      to.reset();
    }
  }
}

}  // namespace bridge_flow_test
