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

TEST_CASE("a stored message is handled and then done, once", "[B2][B3]") {
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

TEST_CASE("a failed message is redelivered after growing pauses, and counts its attempts",
          "[B3][B5]") {
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

TEST_CASE("a message that fails too often is dead-lettered, with the reason", "[B2][B5]") {
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
  mourning.durable = "reader";
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

TEST_CASE("without a topic for dead letters, a message that is given up is reported") {
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

TEST_CASE("a message that cannot be decoded is dead-lettered immediately") {
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

}  // namespace durable_test
