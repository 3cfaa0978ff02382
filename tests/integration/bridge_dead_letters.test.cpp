// Failing, slow and dropped messages of durable links over a real server.

#include "support/nats_bridges.hpp"

#include <msgbus/detail/exec/timer.hpp>

#include "support/catch.hpp"

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge_dead_letters_test {

using namespace msgbus_test;

TEST_CASE("a message that fails too often becomes a dead letter on a real server", "[B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  // given: a handler that always fails
  subscriber to(here.executor());
  int attempts = 0;
  to.observe(std::make_shared<msgbus::observer>());
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::runtime_error("poison");
  });
  // given: a handler of dead letters
  subscriber dead_letters(here.executor());
  std::string reason;
  dead_letters.subscribe("dead.*", [&](int number, const context& ctx) {
    CHECK(number == 13);
    reason = ctx.headers().at("Msgbus-Dead-Reason");
  });
  // given: durable links for both, with 3 attempts
  auto options = billing_durable();
  options.max_deliver = 3;
  options.dead_letter = "dead.orders";
  bridge_link in = here.run(at.durable<int>(to, "orders.>", options));
  auto dead_letter_options = billing_durable();
  dead_letter_options.stream = "DEAD";
  (void)here.run(at.durable<int>(dead_letters, "dead.>", dead_letter_options));
  // when: a message is stored
  here.run(store_one(at, 13));
  here.run_until([&] { return !reason.empty(); });
  here.run_until([&] { return in.stats().in_flight == 0; });
  // then: it is handled 3 times, and becomes a dead letter
  CHECK(reason == "poison");
  CHECK(attempts == 3);
  CHECK(in.stats().dead_lettered == 1);
}

TEST_CASE("a handler that runs longer than ack_wait keeps its message", "[B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  // given: a link with one attempt and a short ack_wait
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  auto options = billing_durable();
  options.ack_wait = 1s;
  options.max_deliver = 1;
  options.dead_letter = "dead.orders";
  int begun = 0;
  bool done = false;
  // when: the handler runs longer than ack_wait
  SECTION("the handler blocks the only thread") {
    to.subscribe("orders.*", [&](int) {
      ++begun;
      block_thread(3500ms);
      done = true;
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", options));
    here.run(store_one(at, 1));
    here.run_until([&] { return done && in.stats().in_flight == 0; });
    here.run(at.flush());
    CHECK(in.stats().received == 1);
    CHECK(in.stats().acks == 1);
  }
  SECTION("the handler blocks the only thread and fails, with one dead letter") {
    to.subscribe("orders.*", [&](int) {
      ++begun;
      block_thread(3500ms);
      throw std::runtime_error("poison");
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", options));
    here.run(store_one(at, 1));
    here.run_until([&] { return in.stats().dead_lettered == 1; });
    CHECK(in.stats().received == 1);
    // then: one dead letter was stored before this one
    msgbus::store_options next;
    next.message_id = "next";
    CHECK(here.run(at.store(2, "dead.orders", next)).sequence == 2);
  }
  SECTION("the handler awaits") {
    to.subscribe("orders.*", [&](int) -> awaitable<void> {
      ++begun;
      co_await msgbus::exec::sleep(2500ms);
      done = true;
    });
    bridge_link in = here.run(at.durable<int>(to, "orders.>", options));
    here.run(store_one(at, 1));
    here.run_until([&] { return done && in.stats().in_flight == 0; });
    CHECK(in.stats().acks == 1);
  }
  // then: the message was delivered once
  CHECK(begun == 1);
}

TEST_CASE(
    "a message that a full mailbox drops is redelivered when there is space, on a real server",
    "[B2][B3]") {
  nats_server server;
  loop here;
  bridge at = join(here, server);
  make_stream(here, at, "ORDERS", "orders.>");
  // given: a handler that waits, behind a mailbox for one message
  subscriber to(here.executor(), {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  gate gate;
  std::set<int> handled;
  to.subscribe("orders.*", [&](int number) -> awaitable<void> {
    co_await gate.wait();
    handled.insert(number);
  });
  auto options = billing_durable();
  options.max_deliver = 2;
  options.max_in_flight = 8;
  bridge_link in = here.run(at.durable<int>(to, "orders.>", options));
  // when: more messages are stored than the mailbox accepts
  for (int i = 0; i < 3; ++i) here.run(store_one(at, i));
  here.run_until([&] { return in.stats().naks > 4; });
  // then: all are handled once there is space
  gate.open();
  here.run_until([&] { return in.stats().acks == 3; });
  CHECK(handled == std::set<int>{0, 1, 2});
  CHECK(in.stats().dead_lettered == 0);
}

TEST_CASE("each durable has its own dead letter on a real server, with the reason of the failure",
          "[B2]") {
  nats_server server;
  loop here;
  std::vector<std::string> failures;
  bridge at = join(here, server, &failures);
  make_stream(here, at, "ORDERS", "orders.>");
  // given: a handler that always fails, for two durables with one attempt
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  int attempts = 0;
  to.subscribe("orders.*", [&](int) {
    ++attempts;
    throw std::domain_error("");
  });
  auto options = billing_durable();
  options.max_deliver = 1;
  options.max_backoff = 100ms;
  options.dead_letter = "dead.orders";
  bridge_link one = here.run(at.durable<int>(to, "orders.>", options));
  options.durable = "shipping";
  bridge_link two = here.run(at.durable<int>(to, "orders.>", options));
  // when: a message is stored, and no stream takes dead letters
  here.run(store_one(at, 13));
  // No stream takes the dead letters yet.
  here.run_until([&] { return failures.size() >= 2; });
  CHECK(attempts == 2);
  // when: a stream for dead letters is made later
  make_stream(here, at, "DEAD", "dead.>");
  subscriber dead_letters(here.executor());
  std::set<std::string> letters;
  dead_letters.subscribe("dead.*", [&](int, const context& ctx) {
    letters.insert(ctx.headers().at("Msgbus-Dead-Durable"));
    CHECK(ctx.headers().at("Msgbus-Dead-Reason") ==
          "an exception without text (std::domain_error)");
    CHECK(ctx.headers().at("Msgbus-Attempt") == "1");
  });
  auto dead_letter_options = billing_durable();
  dead_letter_options.stream = "DEAD";
  (void)here.run(at.durable<int>(dead_letters, "dead.>", dead_letter_options));
  // then: each durable has stored its dead letter, without another attempt
  here.run_until([&] { return letters.size() == 2; });
  here.run_until([&] { return one.stats().dead_lettered + two.stats().dead_lettered == 2; });
  CHECK(attempts == 2);  // no further attempt
}

TEST_CASE("a dead letter above the server's limit is stored without its payload", "[B2]") {
  nats_server server;
  loop here;
  std::vector<std::string> failures;
  bridge at = join(here, server, &failures);
  make_stream(here, at, "ORDERS", "orders.>");
  make_stream(here, at, "DEAD", "dead.>");
  // given: a handler that always fails
  subscriber to(here.executor());
  to.observe(std::make_shared<msgbus::observer>());
  to.subscribe("orders.*", [&](const std::string&) { throw std::runtime_error("poison"); });
  auto options = billing_durable();
  options.max_deliver = 1;
  options.dead_letter = "dead.orders";
  bridge_link in = here.run(at.durable<std::string>(to, "orders.>", options));
  // when: a message is stored whose dead letter would exceed the limit
  const std::string large(1024 * 1024 - 200, 'x');  // fits with its own headers only
  msgbus::store_options with;
  with.message_id = "large";
  here.run(at.store(large, "orders.placed", with));
  here.run_until([&] { return in.stats().dead_lettered == 1; });
  // then: a shortened dead letter is stored, and this is reported
  CHECK(in.stats().shortened == 1);
  REQUIRE(failures.size() == 1);
  CHECK_THAT(failures[0], contains("shortened dead letter"));
}

}  // namespace bridge_dead_letters_test
