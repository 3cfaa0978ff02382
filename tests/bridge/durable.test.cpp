// Messages of streams: delivered until they are handled, and never more than there is room for.

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

namespace durable_test {

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

TEST_CASE("what was stored is handled and then done, once", "[B2][B3]") {
  shop all;
  subscriber to(all.executor());
  std::vector<int> got;
  std::vector<std::string> ids;
  to.subscribe("orders.*", [&](int number, const context& about) -> awaitable<void> {
    ids.emplace_back(about.message_id());
    co_await hop(2);
    got.push_back(number);
  });
  for (int i = 0; i < 5; ++i) all.store(i, "id-" + std::to_string(i));
  bridge_link in = all.join(to);
  all.store(5, "id-5");
  all.live();
  CHECK(got == std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(ids.front() == "id-0");
  CHECK(in.stats().acks == 6);
  CHECK(in.stats().in_flight == 0);
  CHECK(adds_up(in.stats()));
  CHECK(to.stats().handled == 6);
  all.live(300s);
  CHECK(got.size() == 6);
  CHECK(all.told.all.empty());
}

TEST_CASE("a message that is stored twice is there once, and that is said") {
  shop all;
  CHECK_FALSE(all.store(1, "same").duplicate);
  const auto again = all.store(1, "same");
  CHECK(again.duplicate);
  CHECK(again.stream == "ORDERS");
  CHECK(again.sequence == 1);
  CHECK(all.store(1).sequence == 2);
  CHECK(code_of([&] { (void)all.clock.run(all.steps, all.stores.store(1, "nobody.keeps")); }) ==
        errc::transport_failed);
}

TEST_CASE("what fails comes again after growing pauses, and counts its attempts", "[B3][B5]") {
  shop all;
  subscriber to(all.executor());
  std::vector<unsigned> attempts;
  std::vector<std::chrono::milliseconds> at;
  to.subscribe("orders.*", [&](int, const context& about) {
    attempts.push_back(about.attempt());
    at.push_back(
        std::chrono::duration_cast<std::chrono::milliseconds>(all.clock.now().time_since_epoch()));
    if (attempts.size() < 3) throw std::runtime_error("not yet");
  });
  to.observe(std::make_shared<msgbus::observer>());
  bridge_link in = all.join(to);
  all.store(1);
  all.live();
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  REQUIRE(at.size() == 3);
  CHECK(at[1] - at[0] == 100ms);
  CHECK(at[2] - at[1] == 200ms);
  CHECK(in.stats().naks == 2);
  CHECK(in.stats().acks == 1);
  CHECK(in.stats().redelivered == 2);
  CHECK(adds_up(in.stats()));
}

TEST_CASE("a message that came without an id has the same one each time it is delivered", "[B2]") {
  shop all;
  subscriber to(all.executor());
  std::vector<std::string> ids;
  to.subscribe("orders.*", [&](int, const context& about) {
    ids.emplace_back(about.message_id());
    if (ids.size() < 3) throw std::runtime_error("not yet");
  });
  to.observe(std::make_shared<msgbus::observer>());
  bridge_link in = all.join(to);
  const auto wire = all.broker.connect(all.executor());
  wire->publish({.topic = "orders.placed", .payload = "1"}, msgbus::transport::urgency::bulk);
  all.live();
  CHECK(ids == std::vector<std::string>(3, "ORDERS-1"));
}

TEST_CASE("what fails too often goes to the dead letters, with the reason", "[B2][B5]") {
  shop all;
  subscriber to(all.executor());
  to.subscribe("orders.*", [](int) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("poison");
  });
  to.observe(std::make_shared<msgbus::observer>());
  subscriber dead(all.executor());
  std::string reason;
  std::string from;
  std::string cause;
  dead.subscribe("dead.*", [&](int number, const context& about) {
    CHECK(number == 13);
    reason = about.headers().at("Msgbus-Dead-Reason");
    from = about.headers().at("Msgbus-Dead-Topic");
    cause = about.causation_id();
  });
  durable_options mourning = billing();
  mourning.stream = "DEAD";
  mourning.durable = "mourners";
  mourning.dead_letter = {};
  (void)all.clock.run(all.steps, all.mourns.durable<int>(dead, "dead.>", mourning));
  bridge_link in = all.join(to);
  all.store(13, "id-13");
  all.live();
  CHECK(in.stats().naks == 2);
  CHECK(in.stats().dead_lettered == 1);
  CHECK(in.stats().in_flight == 0);
  CHECK(reason == "poison");
  CHECK(from == "orders.placed");
  CHECK(cause == "id-13");
  CHECK(adds_up(in.stats()));
  all.live(300s);
  CHECK(in.stats().received == 3);
}

TEST_CASE("without a place for dead letters, what is given up is told") {
  shop all;
  subscriber to(all.executor());
  to.subscribe("orders.*", [](int) { throw std::runtime_error("poison"); });
  to.observe(std::make_shared<msgbus::observer>());
  durable_options how = billing();
  how.dead_letter = {};
  bridge_link in = all.join(to, how);
  all.store(13);
  all.live();
  CHECK(in.stats().dead_lettered == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("given up after 3 deliveries: poison"));
}

TEST_CASE("a message is stored without options in the line that awaits it") {
  // GCC 12 destroys temporaries of such a line twice: no default argument may hide one.
  shop all;
  const auto store_two = [&]() -> asio::awaitable<std::uint64_t> {
    (void)co_await all.stores.store(1, "orders.placed");
    const auto second = co_await all.stores.store(2, "orders.placed");
    co_return second.sequence;
  };
  CHECK(all.clock.run(all.steps, store_two()) == 2);
}

TEST_CASE("what cannot be decoded goes to the dead letters at once") {
  shop all;
  subscriber to(all.executor());
  to.subscribe("orders.*", [](int) {});
  bridge_link in = all.join(to);
  std::string no_number("seven");
  (void)all.clock.run(all.steps, all.stores.store(no_number, "orders.placed"));
  all.live();
  CHECK(in.stats().undecodable == 1);
  CHECK(in.stats().dead_lettered == 1);
  CHECK(in.stats().naks == 0);
  CHECK(adds_up(in.stats()));
  CHECK(all.told.all.size() == 1);
}

TEST_CASE("a message that no handler takes is not done") {
  shop all;
  subscriber to(all.executor());
  bridge_link in = all.join(to);
  all.store(1);
  all.live();
  CHECK(in.stats().acks == 0);
  CHECK(in.stats().dead_lettered == 1);
  CHECK(to.stats().unrouted == 3);
}

TEST_CASE("a message is done when its last handler and its clean-ups have ended", "[B3]") {
  shop all;
  subscriber to(all.executor());
  msgbus_test::gate gate;
  to.subscribe("orders.*", [](int) {});
  to.subscribe("orders.*", [&](int) -> awaitable<void> { co_await gate.wait(); });
  bridge_link in = all.join(to);
  all.store(1);
  all.steps.run();
  CHECK(in.stats().acks == 0);
  CHECK(in.stats().in_flight == 1);
  gate.open();
  all.steps.run();
  CHECK(in.stats().acks == 1);
}

TEST_CASE("a slow handler keeps its message, however long it takes", "[B3]") {
  shop all;
  subscriber to(all.executor());
  msgbus_test::gate gate;
  int begun = 0;
  to.subscribe("orders.*", [&](int) -> awaitable<void> {
    ++begun;
    co_await gate.wait();
  });
  bridge_link in = all.join(to);
  all.store(1);
  all.live(600s);
  CHECK(begun == 1);
  gate.open();
  all.live();
  CHECK(in.stats().acks == 1);
  CHECK(in.stats().redelivered == 0);
}

TEST_CASE("never more is taken than the mailbox has room for", "[B4]") {
  shop all;
  subscriber to(all.executor(), {.capacity = 3});
  msgbus_test::gate gate;
  std::size_t most = 0;
  to.subscribe("orders.*", [&](int) -> awaitable<void> { co_await gate.wait(); });
  for (int i = 0; i < 50; ++i) all.store(i);
  bridge_link in = all.join(to);
  all.live(200s);
  most = in.stats().in_flight;
  CHECK(most == 3);
  CHECK(in.stats().received == 3);
  gate.open();
  all.live();
  CHECK(in.stats().acks == 50);
  CHECK(in.stats().redelivered == 0);
}

TEST_CASE("room that one handler leaves is used, though the others go on for long", "[B4]") {
  shop all;
  msgbus::mailbox_options mail;
  mail.concurrency = 8;
  subscriber to(all.executor(), mail);
  std::vector<int> begun;
  to.subscribe("orders.*", [&](int number) -> asio::awaitable<void> {
    begun.push_back(number);
    co_await msgbus::exec::sleep(number == 0 ? 100ms : 60'000ms);
  });
  durable_options how = billing();
  how.max_in_flight = 8;  // a quarter of it is two, and only one leaves
  bridge_link in = all.join(to, how);
  for (int i = 0; i < 9; ++i) all.store(i);
  all.live(1s);
  CHECK(begun.size() == 9);
}

TEST_CASE("a durable message says where it is stored, the same on every redelivery", "[B3]") {
  shop all;
  consumer next(all.executor());
  subscriber to(all.executor());
  std::vector<std::string> places;
  std::vector<bool> others;
  next.handler(
      [&](const long&, const context& about) { others.push_back(about.stored().has_value()); });
  to.subscribe("orders.*", [&](int number, const context& about) {
    const auto place = about.stored();
    places.push_back(place ? std::string(place->stream) + ' ' + std::to_string(place->sequence)
                           : std::string("nowhere"));
    (void)next.post(long{number});
    if (places.size() == 1) throw std::runtime_error("once more");
  });
  const auto first = all.store(1);
  durable_options how = billing();
  const bridge_link in = all.join(to, how);
  all.live();
  const std::string expected = first.stream + ' ' + std::to_string(first.sequence);
  CHECK(places == std::vector<std::string>{expected, expected});
  CHECK(others == std::vector<bool>{false, false});
}

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

TEST_CASE("what a process that goes away has not handled, another one handles") {
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

TEST_CASE("a subscriber that closes gives what it has not handled to others at once") {
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

TEST_CASE("a drained bridge finishes what it has taken, and gives back the rest", "[B8]") {
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

TEST_CASE("a drain that runs out of time says what it leaves, and that comes again elsewhere") {
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

}  // namespace durable_test
