#include <msgbus/bridge/dead_letters.hpp>

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/bridge/bridge.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/refusing.hpp"
#include "support/shop.hpp"
#include "support/thrown.hpp"
#include "support/transports.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dead_letters_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::bridge_dead_letters;
using msgbus::bridge_link;
using msgbus::context;
using msgbus::durable_options;
using msgbus::errc;
using msgbus::stored_dead_letter;
using msgbus::async::subscriber;
using msgbus_test::adds_up;
using msgbus_test::billing;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::shop;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

using attempts = std::vector<unsigned>;
struct quiet_subscriber : subscriber {
  explicit quiet_subscriber(shop& all, msgbus::mailbox_options mail = {})
      : subscriber(all.executor(), mail) {
    observe(std::make_shared<msgbus::observer>());
  }
};

/// A process whose handlers fail until it is repaired, in a shop.
struct failing {
  explicit failing(shop& in, durable_options how = billing(),
                   std::string type_of_failure = "poison")
      : all(in), to(in), reason(std::move(type_of_failure)) {
    to.subscribe("orders.*", [this](int number, const context& about) {
      numbers.push_back(number);
      tried.push_back(about.attempt());
      if (is_broken) throw std::runtime_error(reason);
      handled.push_back(std::string(about.message_id()));
    });
    link = all.clock.run(all.steps, handles.durable<int>(to, "orders.>", std::move(how)));
  }

  shop& all;
  bridge handles = all.connect("handles");
  quiet_subscriber to;
  std::string reason;
  bool is_broken = true;
  std::vector<int> numbers;
  attempts tried;
  std::vector<std::string> handled;
  bridge_link link;
};

durable_options shipping() {
  durable_options how = billing();
  how.durable = "shipping";
  return how;
}

std::vector<stored_dead_letter> letters_in(shop& all, std::string stream = "DEAD") {
  const bridge_dead_letters letters = all.mourns.dead_letters(std::move(stream));
  return all.clock.run(all.steps, letters.snapshot());
}

std::size_t replay(shop& all, std::function<bool(const stored_dead_letter&)> which = {}) {
  return all.clock.run(all.steps, all.mourns.dead_letters("DEAD").replay(std::move(which)));
}

/// Stores what is no dead letter of a link, in the stream "DEAD".
void store_raw(shop& all, msgbus::envelope message, std::string id) {
  message.headers.insert_or_assign(msgbus::header::message_id, id);
  if (message.topic.empty()) message.topic = "dead.orders";
  (void)all.clock.run(all.steps, all.stores.transport()->store(std::move(message), 1s));
}

}  // namespace

TEST_CASE("a dead letter in a stream has the message, its link, and the failure", "[P8]") {
  shop all;
  failing in(all);
  msgbus::store_options how;
  how.message_id = "id-13";
  how.headers.add("A-Tenant", "north");
  how.headers.add(msgbus::header::causation_id, "parent");
  const auto before = std::chrono::system_clock::now();
  (void)all.clock.run(all.steps, all.stores.store(13, "orders.placed", how));
  all.live();
  const auto letters = letters_in(all);
  REQUIRE(letters.size() == 1);
  const stored_dead_letter& letter = letters[0];
  CHECK(letter.id == 1);
  CHECK(letter.message == "int");
  CHECK(letter.handler == "durable 'billing' of stream 'ORDERS'");
  CHECK(letter.reason == "poison");
  CHECK(letter.attempts == 3);
  CHECK(letter.topic == "orders.placed");
  CHECK(letter.message_id == "id-13");
  CHECK(letter.stream == "ORDERS");
  CHECK(letter.durable == "billing");
  CHECK(letter.sequence == 1);
  CHECK(letter.payload == "13");
  CHECK(letter.missing.empty());
  CHECK(letter.headers.get("A-Tenant") == "north");
  CHECK(letter.headers.get(msgbus::header::message_id) == "id-13");
  CHECK(letter.headers.get(msgbus::header::causation_id) == "parent");
  CHECK_FALSE(letter.headers.contains(msgbus::header::dead_reason));
  CHECK(letter.at > before - 1min);  // of the broker's clock, which the test moves
  CHECK(letter.at < before + 1min);
}

TEST_CASE("a replay goes to the durable link that failed and to no other, with the same id",
          "[P8][B3]") {
  shop all;
  failing in(all);
  failing other(all, shipping());
  other.is_broken = false;
  // given: another program that listens to the topic
  const auto listener = all.broker.connect(all.executor());
  const auto heard = std::make_shared<msgbus_test::kept_envelopes>();
  const auto feed = listener->subscribe("orders.>", "", heard);
  // given: a message that one of them has given up
  all.store(13, "id-13");
  all.live();
  CHECK(in.tried == attempts{1, 2, 3});
  in.is_broken = false;
  // when: it is replayed, by a third process
  CHECK(replay(all) == 1);
  // then: it is the same message, with fresh attempts
  CHECK(in.tried == attempts{1, 2, 3, 1});
  CHECK(in.handled == std::vector<std::string>{"id-13"});
  // then: the others do not get it again
  CHECK(other.handled == std::vector<std::string>{"id-13"});
  CHECK(heard->payloads() == std::vector<std::string>{"13"});
  // then: it is counted apart, and the dead letter has gone
  CHECK(in.link.stats().replayed == 1);
  CHECK(in.link.stats().received == 3);
  CHECK(adds_up(in.link.stats()));
  CHECK(other.link.stats().replayed == 0);
  CHECK(letters_in(all).empty());
  CHECK(all.told.all.empty());
}

TEST_CASE("a replayed message is as it was, with its place and its cause", "[P8]") {
  shop all;
  quiet_subscriber to(all);
  bool is_broken = true;
  std::vector<std::string> seen;
  to.subscribe("orders.*", [&](const std::string& text, const context& about) {
    std::string all_of = text + ' ' + std::string(about.topic());
    for (const std::string_view each :
         {about.message_id(), about.causation_id(), about.correlation_id()}) {
      (all_of += ' ') += each;
    }
    all_of += ' ' + std::string(about.stored()->stream) + ' ' +
              std::to_string(about.stored()->sequence) + ' ' +
              std::string(about.headers().get("A-Tenant"));
    seen.push_back(all_of);
    if (is_broken) throw std::runtime_error("poison");
  });
  durable_options how = billing();
  how.max_deliver = 1;
  (void)all.clock.run(all.steps, all.handles.durable<std::string>(to, "orders.>", how));
  msgbus::store_options with;
  with.message_id = "id";
  with.headers.add("A-Tenant", "north");
  with.headers.add(msgbus::header::causation_id, "parent");
  with.headers.add(msgbus::header::correlation_id, "chain");
  (void)all.clock.run(all.steps, all.stores.store(std::string("tea"), "orders.placed", with));
  all.live();
  is_broken = false;
  CHECK(replay(all) == 1);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] == "tea orders.placed id parent chain ORDERS 1 north");
  CHECK(seen[1] == seen[0]);
}

TEST_CASE("a replay that fails again becomes another letter, which waits for a person", "[P8]") {
  shop all;
  failing in(all);
  all.store(13, "id-13");
  all.live();
  in.reason = "still poison";
  // when: it fails again
  CHECK(replay(all) == 0);
  // then: its attempts were counted from 1, up to the limit of the link
  CHECK(in.tried == attempts{1, 2, 3, 1, 2, 3});
  // then: there is another letter, and not the first one
  auto letters = letters_in(all);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].id == 2);
  CHECK(letters[0].reason == "still poison");
  CHECK(letters[0].attempts == 3);
  CHECK(letters[0].message_id == "id-13");
  CHECK(letters[0].sequence == 1);
  CHECK(in.link.stats().replayed == 1);
  // then: nothing happens without a person
  all.live(1h);
  CHECK(in.tried.size() == 6);
  CHECK(letters_in(all).size() == 1);
  // when: it is replayed again, and fails once
  in.reason = "not yet";
  auto replaying = all.steps.spawn(all.mourns.dead_letters("DEAD").replay());
  all.live(50ms);
  in.is_broken = false;
  all.live();
  // then: the pauses of the link are between the attempts
  CHECK(replaying.get() == 1);
  CHECK(in.tried == attempts{1, 2, 3, 1, 2, 3, 1, 2});
  CHECK(letters_in(all).empty());
  CHECK(all.told.all.empty());
}

TEST_CASE("a link without a limit replays once", "[P8]") {
  shop all;
  durable_options how = billing();
  {
    failing first(all);  // with a limit
    all.store(13);
    all.live();
    first.link.cancel();
    all.steps.run();
  }
  how.max_deliver = 0;
  failing in(all, how);
  CHECK(replay(all) == 0);
  CHECK(in.tried == attempts{1});
  CHECK(letters_in(all).size() == 1);
}

TEST_CASE("a filter chooses letters, also one that was written for letters in memory", "[P8]") {
  shop all;
  failing in(all);
  for (int number : {1, 2, 3}) all.store(number, "id-" + std::to_string(number));
  all.live(10s);
  in.is_broken = false;
  in.numbers.clear();
  const auto second = [](const msgbus::async::dead_letter& each) {
    return each.message_id == "id-2";
  };
  CHECK(replay(all, second) == 1);
  CHECK(in.numbers == std::vector<int>{2});
  const auto letters = all.mourns.dead_letters("DEAD");
  const auto third = [](const auto& each) { return each.payload == "3"; };
  CHECK(all.clock.run(all.steps, letters.discard(third)) == 1);
  const auto left = letters_in(all);
  REQUIRE(left.size() == 1);
  CHECK(left[0].message_id == "id-1");
  CHECK(all.clock.run(all.steps, letters.snapshot(0)).empty());
  CHECK(all.clock.run(all.steps, letters.discard()) == 1);
  CHECK(all.clock.run(all.steps, letters.discard()) == 0);
  CHECK(all.clock.run(all.steps, letters.replay()) == 0);
  CHECK(in.numbers == std::vector<int>{2});
}

TEST_CASE("an exception of a filter is thrown before anything is replayed or removed", "[P8]") {
  shop all;
  failing in(all);
  all.store(1);
  all.store(2);
  all.live(10s);
  in.numbers.clear();
  const auto letters = all.mourns.dead_letters("DEAD");
  const auto throwing = [](const stored_dead_letter& each) -> bool {
    if (each.payload == "2") throw std::runtime_error("no opinion");
    return true;
  };
  CHECK(text_of([&] { all.clock.run(all.steps, letters.replay(throwing)); }) == "no opinion");
  CHECK(text_of([&] { all.clock.run(all.steps, letters.discard(throwing)); }) == "no opinion");
  CHECK(in.numbers.empty());
  CHECK(letters_in(all).size() == 2);
}

TEST_CASE("a letter whose link is in no process stays, and the error says so", "[P8]") {
  shop all;
  std::optional<failing> gone(std::in_place, all, shipping());
  failing in(all);
  all.store(13);
  all.live();
  gone.reset();
  in.is_broken = false;
  all.steps.run();
  const std::string text = text_of([&] { (void)replay(all); });
  CHECK_THAT(text, contains("2 dead letters of stream 'DEAD'") && contains("1 handled") &&
                       contains("no process has an active link") &&
                       contains("durable 'shipping' of stream 'ORDERS'"));
  CHECK(in.handled.size() == 1);
  const auto left = letters_in(all);
  REQUIRE(left.size() == 1);
  CHECK(left[0].durable == "shipping");
  CHECK(code_of([&] { (void)replay(all); }) == errc::no_handler);
  // when: the link is there again
  failing back(all, shipping());
  back.is_broken = false;
  CHECK(replay(all) == 1);
  CHECK(back.handled.size() == 1);
}

TEST_CASE("a shortened letter is shown, and is not replayed", "[P8]") {
  shop all;
  const auto refusing =
      std::make_shared<msgbus_test::refusing_transport>(all.broker.connect(all.executor()));
  bridge handles(refusing, all.told.to_here());
  quiet_subscriber to(all);
  int runs = 0;
  to.subscribe("orders.*", [&](const std::string&) {
    ++runs;
    throw std::runtime_error("poison");
  });
  durable_options how = billing();
  how.max_deliver = 1;
  (void)all.clock.run(all.steps, handles.durable<std::string>(to, "orders.>", how));
  std::string missing;
  SECTION("without its payload") {
    refusing->largest = 500;
    missing = "payload of 1002 bytes";
  }
  SECTION("without its headers") {
    refusing->refused_header = "A-Tenant";
    missing = "headers";
  }
  msgbus::store_options with;
  with.headers.add("A-Tenant", "north");
  (void)all.clock.run(all.steps, all.stores.store(std::string(1000, 'p'), "orders.placed", with));
  all.live(30s);
  CHECK(runs == 1);
  const auto letters = letters_in(all);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].missing == missing);
  CHECK(letters[0].reason == "poison");
  const auto replaying = [&] { (void)replay(all); };
  CHECK(code_of(replaying) == errc::bad_arguments);
  CHECK_THAT(text_of(replaying), contains("1 stays: it was shortened, and lacks its " + missing));
  CHECK(runs == 1);
  CHECK(letters_in(all).size() == 1);
}

TEST_CASE("a stream without dead letters is an error that names its content", "[P8]") {
  shop all;
  const auto letters = all.mourns.dead_letters("ORDERS");
  CHECK(all.clock.run(all.steps, letters.snapshot()).empty());  // nobody can know yet
  all.store(1);
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { (void)all.clock.run(all.steps, letters.snapshot()); },
           [&] { (void)all.clock.run(all.steps, letters.replay()); },
           [&] { (void)all.clock.run(all.steps, letters.discard()); }}) {
    CHECK(code_of(call) == errc::bad_arguments);
    CHECK_THAT(text_of(call), contains("stream 'ORDERS'") && contains("message 1") &&
                                  contains("'orders.placed'") && contains("'Msgbus-Dead-Reason'"));
  }
  const auto nowhere = [&] { (void)letters_in(all, "NOWHERE"); };
  CHECK(code_of(nowhere) == errc::transport_failed);
  CHECK_THAT(text_of(nowhere), contains("NOWHERE"));
  // then: nothing was removed
  CHECK(all.clock.run(all.steps, all.mourns.transport()->read("ORDERS", 1)).has_value());
}

TEST_CASE("messages beside the dead letters of a stream are passed over, and never removed",
          "[P8]") {
  shop all;
  store_raw(all, msgbus_test::made("dead.orders", "no letter"), "a");
  failing in(all);
  all.store(13);
  all.live();
  msgbus::envelope wrong = msgbus_test::made("dead.orders", "no number");
  for (const auto name :
       {msgbus::header::dead_reason, msgbus::header::dead_topic, msgbus::header::dead_stream,
        msgbus::header::dead_durable, msgbus::header::dead_sequence}) {
    wrong.headers.add(name, "x");
  }
  store_raw(all, wrong, "b");
  CHECK(letters_in(all).size() == 1);
  const auto letters = all.mourns.dead_letters("DEAD");
  CHECK(all.clock.run(all.steps, letters.discard()) == 1);
  const auto wire = all.mourns.transport();
  CHECK(all.clock.run(all.steps, wire->read("DEAD", 1))->message.payload == "no letter");
  CHECK(all.clock.run(all.steps, wire->read("DEAD", 2))->message.payload == "no number");
}

}  // namespace dead_letters_test
