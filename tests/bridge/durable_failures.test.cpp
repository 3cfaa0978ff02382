// What uses up a message's tries and what does not, and what is stored of those that are given up.

#include <msgbus/bridge/bridge.hpp>

#include "support/durable_failures_fixture.hpp"

namespace durable_failures_test {

TEST_CASE("a message that waits behind a slow one when its process ends has used up nothing",
          "[B2][B3][B8]") {
  shop all;
  durable_options how = billing();
  how.max_deliver = 1;
  std::vector<int> handled;
  for (int i = 0; i < 100; ++i) all.store(i);
  for (int restart = 0; restart < 3; ++restart) {
    bridge process = all.connect("process");
    subscriber to(all.executor());
    msgbus_test::gate gate;
    to.subscribe("orders.*", [&](int number) -> awaitable<void> {
      co_await gate.wait();
      handled.push_back(number);
    });
    bridge_link in = all.clock.run(all.steps, process.durable<int>(to, "orders.>", how));
    all.steps.run();
    CHECK(in.stats().in_flight == 100 - handled.size());
    auto draining = all.steps.spawn(to.drain(1s));
    all.live(2s);  // longer than the deadline: all are handed back
    CHECK(draining.done());
    all.clock.run(all.steps, process.drain(1s));
    gate.open();
    all.steps.run();
    CHECK(in.stats().dead_lettered == 0);
    CHECK(adds_up(in.stats()));
  }
  CHECK(handled.empty());
  subscriber quick(all.executor());
  std::vector<unsigned> attempts;
  quick.subscribe("orders.*", [&](int number) { handled.push_back(number); });
  bridge_link in = all.join(quick, how);
  all.live();
  std::ranges::sort(handled);
  CHECK(handled.size() == 100);
  CHECK(std::ranges::adjacent_find(handled) == handled.end());
  CHECK(in.stats().dead_lettered == 0);
  CHECK(all.told.all.empty());
}

TEST_CASE(
    "a message that a full mailbox drops is tried when there is room, however often it was "
    "dropped",
    "[B2][B3]") {
  shop all;
  subscriber to(all.executor(), {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  msgbus_test::gate gate;
  std::vector<int> handled;
  std::vector<unsigned> attempts;
  to.subscribe("orders.*", [&](int number, const context& about) -> awaitable<void> {
    co_await gate.wait();
    handled.push_back(number);
    attempts.push_back(about.attempt());
  });
  durable_options how = billing();
  how.max_in_flight = 8;
  how.max_backoff = 200ms;
  SECTION("with pauses") {}
  SECTION("without pauses, and without spinning") {
    how.backoff = 0ms;
    how.max_backoff = 0ms;
  }
  bridge_link in = all.join(to, how);
  for (int i = 0; i < 3; ++i) all.store(i);
  all.live(10s);
  CHECK(in.stats().naks > how.max_deliver);
  CHECK(in.stats().dead_lettered == 0);
  gate.open();
  all.live();
  std::ranges::sort(handled);
  CHECK(handled == std::vector<int>{0, 1, 2});
  CHECK(attempts == std::vector<unsigned>{1, 1, 1});
  CHECK(in.stats().acks == 3);
  CHECK(adds_up(in.stats()));
}

TEST_CASE("only failures count, also among deliveries that were dropped", "[B3]") {
  shop all;
  quiet_subscriber to(all, {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  std::vector<unsigned> attempts;
  msgbus_test::gate busy;
  to.subscribe("orders.placed", [&](int number, const context& about) -> awaitable<void> {
    if (number == 13) {
      attempts.push_back(about.attempt());
      throw std::runtime_error("poison");
    }
    co_await busy.wait();
  });
  durable_options how = billing();
  how.max_in_flight = 8;
  bridge_link in = all.join(to, how);
  dead_letter_stream dead(all);
  all.store(13);
  all.live(50ms);  // it has failed once
  // Now it is dropped again and again.
  all.store(1);
  all.store(2);
  all.live(10s);
  CHECK(attempts == std::vector<unsigned>{1});
  CHECK(in.stats().naks > 4);
  busy.open();
  all.live(60s);
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, msgbus::header::attempt) == "3");
  CHECK(adds_up(in.stats()));
}

TEST_CASE(
    "a message that was in hand when processes died comes again for ever, unless a limit is "
    "set",
    "[B2]") {
  shop all;
  durable_options how = billing();
  const bool limited = GENERATE(false, true);
  how.crash_limit = limited ? 3 : 0;
  dead_letter_stream dead(all);
  int begun = 0;
  for (int process = 0; process < 5; ++process) {
    bridge fragile = all.connect("fragile");
    subscriber to(all.executor());
    msgbus_test::gate never;
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      ++begun;
      co_await never.wait();
    });
    bridge_link in = all.clock.run(all.steps, fragile.durable<int>(to, "orders.>", how));
    if (process == 0) all.store(13);
    all.live(1s);
    all.broker.cut(*fragile.transport());  // as if the process had died
    all.live(31s);
    never.open();
    all.steps.run();
    fragile.close();
    all.broker.restore();
  }
  CHECK(begun == (limited ? 3 : 5));
  REQUIRE(dead.letters().size() == (limited ? 1u : 0u));
  if (limited) {
    CHECK_THAT(dead.header(0, reason), contains("delivered 3 times without being settled"));
  }
}

TEST_CASE(
    "a dead letter that can be stored only later has the reason of the failure, and the "
    "message is not handled again",
    "[B2][B3]") {
  shop all;
  quiet_subscriber to(all);
  int attempts = 0;
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::runtime_error("poison");
  });
  durable_options how = billing();
  how.dead_letter = "late.orders";
  how.max_backoff = 1s;
  bridge_link in = all.join(to, how);
  all.store(13);
  all.live(20s);
  CHECK(attempts == 3);
  CHECK(in.stats().dead_lettered == 0);
  CHECK(in.stats().naks > 10);
  CHECK(all.told.all.size() > 5);  // each time
  CHECK(adds_up(in.stats()));
  all.make_stream("LATE", "late.>");
  dead_letter_stream dead(all, "LATE");
  all.live(5s);
  CHECK(attempts == 3);
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, reason) == "poison");
  CHECK(dead.header(0, msgbus::header::attempt) == "3");
  CHECK(in.stats().dead_lettered == 1);
  CHECK(adds_up(in.stats()));
  const auto received = in.stats().received;
  all.live(100s);
  CHECK(in.stats().received == received);
}

TEST_CASE("a message without a pause before its dead letter is tried again does not spin", "[B2]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::runtime_error("poison"); });
  durable_options how = billing();
  how.dead_letter = "no.stream.keeps.this";
  how.backoff = 0ms;
  how.max_backoff = 0ms;
  bridge_link in = all.join(to, how);
  all.store(13);
  all.live(1s);
  CHECK(in.stats().naks > 3);
  CHECK(in.stats().naks < 200);
}

TEST_CASE("an exception without text is not 'no handler'", "[B3]") {
  shop all;
  quiet_subscriber to(all);
  to.subscribe("orders.*", [](int) { throw std::domain_error(""); });
  bridge_link in = all.join(to);
  dead_letter_stream dead(all);
  all.store(13);
  all.live();
  REQUIRE(dead.letters().size() == 1);
  CHECK(dead.header(0, reason) == "an exception without text (std::domain_error)");
}

}  // namespace durable_failures_test
