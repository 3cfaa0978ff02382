#include "bridge/stored_letter.hpp"

#include "bridge/dead_letter.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>

namespace stored_letter_test {

using msgbus::envelope;
using msgbus::stored_dead_letter;
using msgbus::bridging::extent;
using msgbus::bridging::given_up;
using msgbus::bridging::letter_position;
using msgbus::bridging::read_letter;
using msgbus::bridging::read_request;
using msgbus::bridging::read_result;
using msgbus::bridging::replay_end;
using msgbus::bridging::why_no_letter;
using msgbus::transport::stored_message;
namespace header = msgbus::header;

namespace {

envelope order() {
  envelope made{"orders.placed"};
  made.headers = {{"A-Tenant", "north"},
                  {"A-Tenant", "south"},
                  {"Content-Type", "application/json"},
                  {"Msgbus-Type", "order"},
                  {"Msgbus-Causation-Id", "parent"},
                  {"Nats-Msg-Id", "order-7"}};
  made.payload = "{}";
  return made;
}

constexpr given_up about{.stream = "ORDERS",
                         .durable = "billing",
                         .sequence = 7,
                         .id = "order-7",
                         .attempts = 3,
                         .reason = "poison"};

stored_message stored(extent kept, const given_up& details = about) {
  stored_message one;
  one.message = msgbus::bridging::dead_letter(order(), details, kept);
  one.message.topic = "dead.orders";
  one.sequence = 12;
  one.at = std::chrono::system_clock::time_point(std::chrono::hours(1));
  return one;
}

}  // namespace

TEST_CASE("a dead letter gives back the message that it was made of", "[P8]") {
  for (const extent kept : {extent::whole, extent::short_reason}) {
    const stored_message one = stored(kept);
    CHECK(why_no_letter(one).empty());
    const stored_dead_letter letter = read_letter(one);
    const envelope message = msgbus::bridging::message_of(letter);
    CHECK(message.topic == order().topic);
    CHECK(message.payload == order().payload);
    CHECK(message.headers == order().headers);
    CHECK(letter.missing.empty());
    CHECK(letter.id == 12);
    CHECK(letter.sequence == 7);
    CHECK(letter.attempts == 3);
    CHECK(letter.at == one.at);
  }
}

TEST_CASE("a dead letter says which part of its message it lacks", "[P8]") {
  CHECK(read_letter(stored(extent::own_headers)).missing == "headers");
  CHECK(read_letter(stored(extent::no_payload)).missing == "payload of 2 bytes");
  // A message without other headers loses nothing in the shorter form.
  envelope bare{"orders.placed"};
  bare.headers = {{"Nats-Msg-Id", "order-7"}, {"Msgbus-Type", "order"}};
  stored_message one;
  one.message = msgbus::bridging::dead_letter(bare, about, extent::own_headers);
  CHECK(read_letter(one).missing.empty());
}

TEST_CASE("a message is a dead letter if it has all headers of one", "[P8]") {
  for (const auto name : {header::dead_reason, header::dead_topic, header::dead_stream,
                          header::dead_durable, header::dead_sequence}) {
    stored_message one = stored(extent::whole);
    one.message.headers.erase(name);
    CHECK(why_no_letter(one).find(name) != std::string::npos);
  }
  stored_message one = stored(extent::whole);
  one.message.headers.insert_or_assign(header::dead_sequence, "7a");
  CHECK(why_no_letter(one).find("'7a'") != std::string::npos);
  one.message.headers.insert_or_assign(header::dead_sequence, "99999999999999999999999");
  CHECK_FALSE(why_no_letter(one).empty());
}

TEST_CASE("each replay of a dead letter that fails has a letter of its own", "[P8]") {
  given_up again = about;
  again.replay_of = 12;
  const auto id = [](const stored_message& of) {
    return std::string(of.message.headers.at(header::message_id));
  };
  const std::string first = id(stored(extent::whole));
  const std::string second = id(stored(extent::whole, again));
  CHECK(second == first + ".12");
  again.replay_of = 13;
  CHECK(id(stored(extent::whole, again)) == first + ".13");
}

TEST_CASE("requests for replays are read as they were written", "[P8]") {
  const letter_position position{"DEAD", 17};
  CHECK(msgbus::bridging::write_request(position) == "DEAD 17");
  CHECK(read_request("DEAD 17") == position);
  CHECK(read_request("DEAD 18446744073709551615")->sequence == 18446744073709551615ULL);
  for (const char* const wrong :
       {"", " ", "DEAD", "DEAD ", " 17", "DEAD -1", "DEAD 1x", "DEAD 18446744073709551616"}) {
    CHECK_FALSE(read_request(wrong).has_value());
  }
  CHECK(msgbus::bridging::replay_topic("ORDERS", "billing") == "_MSGBUS.REPLAY.ORDERS.billing");
}

TEST_CASE("results of replays are read as they were written, and anything else means: it stays",
          "[P8]") {
  using msgbus::bridging::write_result;
  CHECK(read_result(write_result({replay_end::handled, {}})).end == replay_end::handled);
  CHECK(read_result(write_result({replay_end::failed, {}})).end == replay_end::failed);
  const auto stays = read_result(write_result({replay_end::stays, "why"}));
  CHECK(stays.end == replay_end::stays);
  CHECK(stays.why == "why");
  for (const char* const other : {"", "handled ", "HANDLED", "something"}) {
    CHECK(read_result(other).end == replay_end::stays);
    CHECK_FALSE(read_result(other).why.empty());
  }
}

TEST_CASE("a dead letter of a stream is printed with its position and its reason") {
  msgbus::stored_dead_letter one;
  one.id = 3;
  one.message = "shop.order";
  one.handler = "billing";
  one.reason = "no money";
  one.attempts = 5;
  one.topic = "orders.placed";
  one.message_id = "m-1";
  one.stream = "ORDERS";
  one.durable = "billing";
  one.sequence = 7;
  CHECK(Catch::Detail::stringify(one) ==
        R"(stored_dead_letter{.id = 3, .message = "shop.order", .handler = "billing", )"
        R"(.reason = "no money", .attempts = 5, .topic = "orders.placed", .message_id = "m-1", )"
        R"(.stream = "ORDERS", .durable = "billing", .sequence = 7, .missing = ""})");
}

}  // namespace stored_letter_test
