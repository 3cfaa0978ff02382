// Dead letters over a real server: shown, replayed, removed (P8).

#include <msgbus/bridge/dead_letters.hpp>

#include "support/nats_bridges.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bridge_replay_test {

using namespace msgbus_test;
using msgbus::stored_dead_letter;

namespace {

/// One process, whose handler fails until it is repaired.
struct process {
  process(loop& in, const nats_server& server, std::string durable)
      : here(in), at(join(in, server, &failures)), to(in.executor()) {
    to.observe(std::make_shared<msgbus::observer>());
    to.subscribe("orders.*", [this](int number, const context& ctx) {
      tried.push_back(ctx.attempt());
      if (is_broken) throw std::runtime_error("poison");
      handled.push_back(std::to_string(number) + ' ' + std::string(ctx.message_id()));
    });
    auto options = billing_durable();
    options.durable = std::move(durable);
    options.max_deliver = 2;
    options.dead_letter = "dead.orders";
    link = here.run(at.durable<int>(to, "orders.>", options));
  }
  loop& here;
  std::vector<std::string> failures;
  bridge at;
  subscriber to;
  bool is_broken = true;
  std::vector<unsigned> tried;
  std::vector<std::string> handled;
  bridge_link link;
};

struct with_streams {
  with_streams() {
    make_stream(here, person, "ORDERS", "orders.>");
    make_stream(here, person, "DEAD", "dead.>");
  }
  std::vector<stored_dead_letter> letters() {
    return here.run(person.dead_letters("DEAD").snapshot());
  }
  std::size_t replay() { return here.run(person.dead_letters("DEAD").replay()); }

  nats_server server;
  loop here;
  bridge person = join(here, server);
};

}  // namespace

TEST_CASE("a dead letter is replayed by the process that has its link, on a real server",
          "[P8][B3]") {
  with_streams all;
  process billing(all.here, all.server, "billing");
  process shipping(all.here, all.server, "shipping");
  shipping.is_broken = false;
  // given: a message that one of two durable links has given up
  const auto before = std::chrono::system_clock::now();
  all.here.run(store_one(all.person, 13));
  all.here.run_until([&] { return billing.link.stats().dead_lettered == 1; });
  all.here.run_until([&] { return shipping.handled.size() == 1; });
  // then: its dead letter has everything
  const auto letters = all.letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].id == 1);
  CHECK(letters[0].handler == "durable 'billing' of stream 'ORDERS'");
  CHECK(letters[0].reason == "poison");
  CHECK(letters[0].attempts == 2);
  CHECK(letters[0].topic == "orders.placed");
  CHECK(letters[0].message_id == "order-13");
  CHECK(letters[0].payload == "13");
  CHECK(letters[0].at > before - 1min);
  CHECK(letters[0].at < std::chrono::system_clock::now() + 1min);
  // when: it fails again
  CHECK(all.replay() == 0);
  // then: it is another letter, after fresh attempts
  CHECK(billing.tried == std::vector<unsigned>{1, 2, 1, 2});
  const auto again = all.letters();
  REQUIRE(again.size() == 1);
  CHECK(again[0].id == 2);
  // when: the handler is repaired
  billing.is_broken = false;
  CHECK(all.replay() == 1);
  // then: only the link that failed has got the message, with its id
  CHECK(billing.handled == std::vector<std::string>{"13 order-13"});
  CHECK(shipping.handled == std::vector<std::string>{"13 order-13"});
  CHECK(billing.link.stats().replayed == 2);
  CHECK(all.letters().empty());
  CHECK(billing.failures.empty());
  CHECK(shipping.failures.empty());
}

TEST_CASE("one of several processes with a durable name replays a letter, on a real server",
          "[P8]") {
  with_streams all;
  process one(all.here, all.server, "billing");
  process other(all.here, all.server, "billing");
  for (int i = 0; i < 10; ++i) all.here.run(store_one(all.person, i));
  const auto dead = [&] {
    return one.link.stats().dead_lettered + other.link.stats().dead_lettered;
  };
  all.here.run_until([&] { return dead() == 10; });
  one.is_broken = other.is_broken = false;
  CHECK(all.replay() == 10);
  CHECK(one.handled.size() + other.handled.size() == 10);
  CHECK(all.letters().empty());
}

TEST_CASE("a letter whose link is in no process stays on a real server, and the error says so",
          "[P8]") {
  with_streams all;
  {
    process gone(all.here, all.server, "billing");
    all.here.run(store_one(all.person, 13));
    all.here.run_until([&] { return gone.link.stats().dead_lettered == 1; });
    all.here.run(gone.at.drain(time_limit));
  }
  CHECK(code_of([&] { (void)all.replay(); }) == errc::no_handler);
  CHECK_THAT(text_of([&] { (void)all.replay(); }),
             contains("no process has an active link with the durable 'billing' of stream "
                      "'ORDERS'"));
  CHECK(all.letters().size() == 1);
  CHECK(all.here.run(all.person.dead_letters("DEAD").discard()) == 1);
  CHECK(all.letters().empty());
}

TEST_CASE(
    "other streams are refused on a real server, with the request and the content in the error",
    "[P8]") {
  with_streams all;
  all.here.run(store_one(all.person, 1));
  const auto orders = [&] { (void)all.here.run(all.person.dead_letters("ORDERS").discard()); };
  CHECK(code_of(orders) == errc::bad_arguments);
  CHECK_THAT(text_of(orders), contains("stream 'ORDERS'") && contains("'orders.placed'"));
  const auto nowhere = [&] { (void)all.here.run(all.person.dead_letters("NOWHERE").replay()); };
  CHECK(code_of(nowhere) == errc::transport_failed);
  CHECK_THAT(text_of(nowhere), contains("stream 'NOWHERE'"));
}

TEST_CASE("messages that a stream does not let go are not removed, and the error says so") {
  with_streams all;
  // given: a stream whose messages cannot be deleted
  const auto wire = connect(all.here, all.server);
  const std::string inbox = wire->new_inbox();
  struct sink final : msgbus::transport::sink {
    bool take(msgbus::envelope&& message, bool) noexcept override {
      answer = std::move(message.payload);
      return true;
    }
    std::string answer;
  };
  const auto got = std::make_shared<sink>();
  const auto feed = wire->subscribe(inbox, "", got);
  all.here.run(wire->flush(time_limit));
  msgbus::envelope request{"$JS.API.STREAM.CREATE.KEPT"};
  request.payload =
      R"({"name":"KEPT","subjects":["kept.>"],"storage":"memory","deny_delete":true})";
  request.reply_to = inbox;
  wire->publish(request, msgbus::transport::urgency::at_once);
  all.here.run(wire->flush(time_limit));
  store(all.here, *wire, "kept.a", 1);
  const auto erasing = [&] { (void)all.here.run(wire->erase("KEPT", 1)); };
  CHECK(code_of(erasing) == errc::transport_failed);
  CHECK_THAT(text_of(erasing), contains("'KEPT'") && contains("message 1"));
  CHECK(all.here.run(wire->read("KEPT", 1)).has_value());
}

}  // namespace bridge_replay_test
