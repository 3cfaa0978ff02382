// What may go wrong while a dead letter is replayed: it stays, unless its message was handled or
// another letter was stored.

#include "bridge/replay_server.hpp"

#include <msgbus/bridge/bridge.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/failing_new.hpp"
#include "support/refusing.hpp"
#include "support/shop.hpp"
#include "support/thrown.hpp"
#include "support/transports.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace replay_server_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::durable_options;
using msgbus::errc;
using msgbus::async::subscriber;
using msgbus_test::billing;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::shop;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

/// One process with a link and one dead letter of it, over a transport that may refuse.
struct with_letter : shop {
  explicit with_letter(msgbus::mailbox_options mail = {}) : to(executor(), mail) {
    to.observe(std::make_shared<msgbus::observer>());
    to.subscribe("orders.*", [this](int) -> awaitable<void> {
      ++begun;
      if (waits) co_await gate.wait();
      if (is_broken) throw std::runtime_error(reason);
      ++handled;
    });
    durable_options how = billing();
    how.max_deliver = 2;
    link = clock.run(steps, process.durable<int>(to, "orders.>", how));
    store(13, "id-13");
    live();
    begun = 0;
  }

  std::size_t replay() { return clock.run(steps, mourns.dead_letters("DEAD").replay()); }
  std::string text_of_replay() {
    return text_of([&] { (void)replay(); });
  }
  std::vector<std::uint64_t> letters() {
    std::vector<std::uint64_t> ids;
    for (const auto& each : clock.run(steps, mourns.dead_letters("DEAD").snapshot()))
      ids.push_back(each.id);
    return ids;
  }

  /// The answers to requests as they come.
  std::vector<std::string> answers_to(const std::vector<std::string>& requests) {
    const auto asking = broker.connect(executor());
    const auto got = std::make_shared<msgbus_test::kept_envelopes>();
    const std::string inbox = asking->new_inbox();
    const auto feed = asking->subscribe(inbox, "", got);
    for (const std::string& each : requests) {
      msgbus::envelope request = msgbus_test::made("_MSGBUS.REPLAY.ORDERS.billing", each);
      request.reply_to = inbox;
      asking->publish(request, msgbus::transport::urgency::at_once);
    }
    live(1s);
    return got->payloads();
  }

  std::shared_ptr<msgbus_test::refusing_transport> refusing =
      std::make_shared<msgbus_test::refusing_transport>(broker.connect(executor()));
  bridge process{refusing, told.to_here()};
  subscriber to;
  msgbus_test::gate gate;
  bool waits = false;
  bool is_broken = true;
  std::string reason = "poison";
  int begun = 0;
  int handled = 0;
  bridge_link link;
};

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a letter stays if the one of its next failure cannot be stored", "[P8]") {
  with_letter all;
  SECTION("for now") { all.refusing->fails_for_now = true; }
  SECTION("without a part of the message, which must not replace it") {
    all.refusing->largest = 300;
    all.reason = std::string(900, 'x');
    all.refusing->refused_header = msgbus::header::type;
  }
  CHECK_THAT(all.text_of_replay(), contains("1 stays: it failed again: ") &&
                                       contains("that dead letter cannot be stored"));
  CHECK(all.begun == 2);
  CHECK(all.letters() == numbers{1});
  CHECK(all.link.stats().shortened == 0);
}

TEST_CASE("a letter stays if it cannot be removed, and nothing is stored twice for it", "[P8]") {
  with_letter all;
  all.refusing->erases_nothing = true;
  // when: it fails again, and the new letter is stored
  CHECK_THAT(all.text_of_replay(), contains("1 stays: it failed again, and another one is stored, "
                                            "but cannot be removed: message delete not permitted"));
  CHECK(all.letters() == numbers{1, 2});
  all.refusing->erases_nothing = false;
  // when: a person removes the new one, and replays the first one
  const auto second = [](const auto& each) { return each.id == 2; };
  CHECK(all.clock.run(all.steps, all.mourns.dead_letters("DEAD").discard(second)) == 1);
  CHECK_THAT(all.text_of_replay(), contains("an earlier replay has stored a dead letter"));
  // then: it stays, since the stream has not stored that letter again
  CHECK(all.letters() == numbers{1});
  // when: the stream has forgotten the id
  all.live(3min);
  CHECK(all.replay() == 0);
  CHECK(all.letters() == numbers{3});
}

TEST_CASE("a handled message whose dead letter cannot be removed is reported", "[P8]") {
  with_letter all;
  all.is_broken = false;
  all.refusing->erases_nothing = true;
  CHECK_THAT(all.text_of_replay(), contains("1 stays: it was handled, but cannot be removed"));
  CHECK(all.handled == 1);
  CHECK(all.link.stats().replayed == 1);
  CHECK(all.letters() == numbers{1});
}

TEST_CASE("a replay that takes longer than its caller waits removes the letter when it ends",
          "[P8]") {
  with_letter all;
  all.is_broken = false;
  all.waits = true;
  const auto letters = all.mourns.dead_letters("DEAD", 1s);
  const auto replaying = [&] { (void)all.clock.run(all.steps, letters.replay()); };
  CHECK(code_of(replaying) == errc::timed_out);
  CHECK(all.begun == 1);
  CHECK(all.letters() == numbers{1});
  // when: another one replays it meanwhile
  CHECK_THAT(all.text_of_replay(), contains("1 stays: it is just being replayed"));
  CHECK(all.begun == 1);
  all.gate.open();
  all.live(1s);
  CHECK(all.handled == 1);
  CHECK(all.letters().empty());
}

TEST_CASE("a cancelled replay ends the wait, and the message is handled", "[P8][A9]") {
  with_letter all;
  all.is_broken = false;
  all.waits = true;
  auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
  all.steps.run();
  CHECK(all.begun == 1);
  replaying.cancel();
  all.steps.run();
  CHECK(msgbus_test::is_aborted(replaying.failure()));
  all.gate.open();
  all.live(1s);
  CHECK(all.handled == 1);
  CHECK(all.letters().empty());
}

TEST_CASE("a letter stays if its process goes away while it is handled", "[P8]") {
  with_letter all;
  all.is_broken = false;
  all.waits = true;
  auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
  all.steps.run();
  CHECK(all.begun == 1);
  all.process.close();
  all.gate.open();
  all.live(1min);
  CHECK(code_of([&] { (void)replaying.get(); }) == errc::timed_out);
  CHECK(all.letters() == numbers{1});
}

TEST_CASE("cancelling the link ends a replay between two attempts, and the letter stays",
          "[P8][B8]") {
  with_letter all;
  auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
  all.live(50ms);
  CHECK(all.begun == 1);
  SECTION("by itself") { all.link.cancel(); }
  SECTION("by a drain, which waits for no pause") {
    const auto begun = all.clock.now();
    all.clock.run(all.steps, all.process.drain(10s));
    CHECK(all.clock.now() == begun);
  }
  all.steps.run();
  CHECK_THAT(text_of([&] { (void)replaying.get(); }),
             contains("1 stays: its link was cancelled after attempt 1, which failed: poison"));
  CHECK(all.begun == 1);
  CHECK(all.letters() == numbers{1});
  CHECK_THAT(all.text_of_replay(), contains("no process has an active link"));
}

TEST_CASE("a drain waits for a replay that runs, and for its answer", "[P8][B8]") {
  with_letter all;
  all.is_broken = false;
  all.waits = true;
  auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
  all.steps.run();
  auto draining = all.steps.spawn(all.process.drain(10s));
  all.steps.run();
  CHECK_FALSE(draining.done());
  all.gate.open();
  all.live(1s);
  CHECK(draining.done());
  CHECK(replaying.get() == 1);
  CHECK(all.letters().empty());
}

TEST_CASE("a letter stays if the component does not take its message", "[P8]") {
  SECTION("closed") {
    with_letter all;
    all.to.close();
    CHECK_THAT(all.text_of_replay(), contains("1 stays: its component is closed"));
    CHECK(all.letters() == numbers{1});
  }
  SECTION("a full mailbox") {
    with_letter all({.capacity = 1, .on_full = msgbus::overflow::drop_newest});
    all.waits = true;
    (void)all.to.post(1, "orders.placed");
    all.steps.run();
    (void)all.to.post(2, "orders.placed");
    CHECK_THAT(all.text_of_replay(),
               contains("1 stays: its component is closed, or has a full mailbox"));
    CHECK(all.letters() == numbers{1});
  }
  SECTION("dropped by a full mailbox") {
    with_letter all({.capacity = 1, .on_full = msgbus::overflow::drop_oldest});
    all.waits = true;
    (void)all.to.post(1, "orders.placed");
    all.steps.run();
    auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
    all.steps.run();
    (void)all.to.post(2, "orders.placed");
    all.steps.run();
    CHECK_THAT(text_of([&] { (void)replaying.get(); }),
               contains("1 stays: a full mailbox has dropped it"));
    CHECK(all.letters() == numbers{1});
  }
  SECTION("abandoned") {
    with_letter all;
    all.waits = true;
    auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
    all.steps.run();
    (void)all.clock.run(all.steps, all.to.drain(1s));
    all.steps.run();
    CHECK_THAT(text_of([&] { (void)replaying.get(); }), contains("1 stays: it was abandoned"));
    CHECK(all.letters() == numbers{1});
  }
}

TEST_CASE("a message that cannot be decoded in a replay becomes another letter", "[P8]") {
  shop all;
  subscriber to(all.executor());
  int handled = 0;
  to.subscribe("orders.*", [&](int) { ++handled; });
  bridge_link in = all.join(to);
  (void)all.clock.run(all.steps, all.stores.store(std::string("tea"), "orders.placed"));
  all.live();
  const auto letters = all.mourns.dead_letters("DEAD");
  const auto before = all.clock.run(all.steps, letters.snapshot());
  REQUIRE(before.size() == 1);
  CHECK(all.clock.run(all.steps, letters.replay()) == 0);
  const auto after = all.clock.run(all.steps, letters.snapshot());
  REQUIRE(after.size() == 1);
  CHECK(after[0].id == 2);
  CHECK(after[0].reason == before[0].reason);
  CHECK(after[0].attempts == 1);
  CHECK(after[0].payload == "\"tea\"");
  CHECK(handled == 0);
}

TEST_CASE("a link refuses requests for dead letters of others", "[P8]") {
  with_letter all;
  msgbus::envelope other = msgbus_test::made("dead.orders", "1", "a");
  other.headers.add(msgbus::header::dead_reason, "poison");
  other.headers.add(msgbus::header::dead_topic, "orders.placed");
  other.headers.add(msgbus::header::dead_stream, "ORDERS");
  other.headers.add(msgbus::header::dead_durable, "shipping");
  other.headers.add(msgbus::header::dead_sequence, "1");
  (void)all.clock.run(all.steps, all.stores.transport()->store(other, 1s));
  const auto answers =
      all.answers_to({"DEAD 2", "DEAD 7", "ORDERS 1", "NOWHERE 1", "DEAD", "DEAD x", ""});
  REQUIRE(answers.size() == 7);
  std::string text;
  for (const std::string& each : answers) {
    CHECK(each.starts_with("stays: "));
    text += each + '\n';
  }
  CHECK_THAT(text, contains("it is one of durable 'shipping' of stream 'ORDERS'"));
  CHECK_THAT(text, contains("it has been removed"));
  CHECK_THAT(text, contains("it is no dead letter: it has no header 'Msgbus-Dead-Reason'"));
  CHECK_THAT(text, contains("NOWHERE"));
  CHECK_THAT(text, contains("this is no request for a replay"));
  CHECK(all.begun == 0);
}

TEST_CASE("a process replays a limited number of letters at once", "[P8]") {
  with_letter all;
  all.is_broken = true;
  for (int i = 0; i < 16; ++i) all.store(i);
  all.live(20s);
  all.is_broken = false;
  all.waits = true;
  std::vector<std::string> requests;
  for (int i = 1; i <= 17; ++i) requests.push_back("DEAD " + std::to_string(i));
  const auto answers = all.answers_to(requests);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0] == "stays: its process replays 16 others");
  all.gate.open();
  all.live(1s);
  CHECK(all.handled == 16);
  CHECK(all.letters() == numbers{17});
}

#ifndef MSGBUS_TEST_NO_FAILING_NEW
TEST_CASE("a replay that memory ran out for, anywhere, can be asked for again", "[P8]") {
  with_letter all;
  all.is_broken = false;
  const auto server = all.refusing->sink_of("_MSGBUS.REPLAY.ORDERS.billing");
  REQUIRE(server);
  int failed = 0;
  for (bool has_failed = true; has_failed;) {
    msgbus::envelope request = msgbus_test::made("_MSGBUS.REPLAY.ORDERS.billing", "DEAD 1");
    bool has_taken = false;
    {
      const msgbus_test::failing_allocation at(failed);
      has_taken = server->take(std::move(request), false);
      has_failed = msgbus_test::failing_allocation::has_failed();
    }
    failed += has_failed ? 1 : 0;
    REQUIRE(has_taken);
    all.live();
    REQUIRE(all.handled == (has_failed ? 0 : 1));
    REQUIRE(all.letters().size() == (has_failed ? 1 : 0));
  }
  // The request, the replay, its place among those that run, its coroutine: each has failed.
  CHECK(failed >= 4);
}
#endif

}  // namespace replay_server_test
