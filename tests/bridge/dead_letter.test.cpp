#include "bridge/dead_letter.hpp"

#include <msgbus/error.hpp>

#include "support/catch.hpp"

#include <set>
#include <stdexcept>
#include <string>

namespace dead_letter_test {

using msgbus::envelope;
using msgbus::bridging::dead_letter;
using msgbus::bridging::extent;
using msgbus::bridging::given_up;
using msgbus::bridging::message_digest;
using msgbus::bridging::reason_of;
using msgbus::detail::failures;
namespace header = msgbus::header;

namespace {

envelope order() {
  envelope made{"orders.placed"};
  made.headers = {{"A-Tenant", "north"},
                  {"Content-Type", "application/json"},
                  {"Msgbus-Type", "order"},
                  {"Nats-Expected-Stream", "ORDERS"},
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

std::string id_of(const envelope& message, const given_up& from) {
  return dead_letter(message, from, extent::whole).headers.find(header::message_id)->second;
}

std::string value(const envelope& of, std::string_view name) {
  const auto found = of.headers.find(name);
  return found == of.headers.end() ? std::string("none") : std::string(found->second);
}

failures thrown(const std::exception_ptr& what) {
  failures all;
  all.add(what);
  return all;
}

}  // namespace

TEST_CASE("a dead letter is the unchanged message, with its failure") {
  const envelope letter = dead_letter(order(), about, extent::whole);
  CHECK(letter.payload == "{}");
  CHECK(value(letter, "A-Tenant") == "north");
  CHECK(value(letter, "Msgbus-Type") == "order");
  CHECK(value(letter, header::causation_id) == "order-7");
  CHECK(value(letter, header::attempt) == "3");
  CHECK(value(letter, header::dead_reason) == "poison");
  CHECK(value(letter, header::dead_topic) == "orders.placed");
  CHECK(value(letter, header::dead_stream) == "ORDERS");
  CHECK(value(letter, header::dead_durable) == "billing");
  CHECK(value(letter, header::dead_sequence) == "7");
}

TEST_CASE(
    "instructions for the message's stream are not passed to the stream of the dead letters") {
  const envelope letter = dead_letter(order(), about, extent::whole);
  CHECK(value(letter, "Nats-Expected-Stream") == "none");
}

TEST_CASE("the id of a dead letter is made from stream, durable, sequence and message", "[B2]") {
  std::set<std::string> ids;
  const auto add = [&](const envelope& message, std::string_view stream, std::string_view durable,
                       std::uint64_t sequence, std::string_view id) {
    given_up from = about;
    from.stream = stream;
    from.durable = durable;
    from.sequence = sequence;
    from.id = id;
    ids.insert(id_of(message, from));
    CHECK(id_of(message, from) == id_of(message, from));
  };
  envelope other = order();
  other.payload = "[]";
  add(order(), "ORDERS", "billing", 7, "order-7");
  add(order(), "ORDERS", "shipping", 7, "order-7");
  add(order(), "OTHERS", "billing", 7, "order-7");
  add(order(), "ORDERS", "billing", 8, "order-7");
  add(order(), "ORDERS", "billing", 7, "order-8");  // the stream was made again
  add(other, "ORDERS", "billing", 7, "order-7");
  // Names are not read as parts of their neighbours.
  add(order(), "A.B", "C", 7, "order-7");
  add(order(), "A", "B.C", 7, "order-7");
  add(order(), "A-B", "C", 7, "order-7");
  add(order(), "A", "B-C", 7, "order-7");
  add(order(), "A%2eB", "C", 7, "order-7");
  CHECK(ids.size() == 11);
  for (const std::string& each : ids) {
    CHECK(each.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 ".%-_") == std::string::npos);
  }
}

TEST_CASE("its reason does not change the id of a dead letter") {
  given_up again = about;
  again.reason = "something else";
  again.attempts = 4;
  CHECK(id_of(order(), again) == id_of(order(), about));
}

TEST_CASE("a dead letter that must be short loses its reason's end, then headers, then payload") {
  given_up from = about;
  const std::string reason = std::string(99, 'x') + "\xc3\xa4 and more";
  from.reason = reason;
  const envelope whole = dead_letter(order(), from, extent::whole);
  CHECK(value(whole, header::dead_reason) == reason);
  const envelope shorter = dead_letter(order(), from, extent::short_reason);
  CHECK(value(shorter, header::dead_reason) == std::string(99, 'x'));  // not half an umlaut
  CHECK(value(shorter, "A-Tenant") == "north");
  const envelope own = dead_letter(order(), from, extent::own_headers);
  CHECK(value(own, "A-Tenant") == "none");
  CHECK(value(own, "Content-Type") == "application/json");
  CHECK(own.payload == "{}");
  const envelope bare = dead_letter(order(), from, extent::no_payload);
  CHECK(bare.payload.empty());
  CHECK(value(bare, "Content-Type") == "none");
  CHECK(value(bare, header::dead_size) == "2");
  CHECK(value(bare, header::dead_sequence) == "7");
  for (const envelope& each : {shorter, own, bare}) {
    CHECK(value(each, header::message_id) == value(whole, header::message_id));
  }
}

TEST_CASE("messages of the same position are distinguished by id and payload") {
  CHECK(message_digest("a", "x") == message_digest("a", "x"));
  CHECK(message_digest("a", "x") != message_digest("b", "x"));
  CHECK(message_digest("a", "x") != message_digest("a", "y"));
  CHECK(message_digest("a", "x") != message_digest("x", "a"));
}

TEST_CASE("a reason is never blank: an exception without text is not 'no handler'") {
  CHECK(reason_of({}) == "no handler accepts it");
  CHECK(reason_of(thrown(std::make_exception_ptr(std::runtime_error("poison")))) == "poison");
  for (const char* const blank : {"", " ", "\n\t "}) {
    CHECK(reason_of(thrown(std::make_exception_ptr(std::domain_error(blank)))) ==
          "an exception without text (std::domain_error)");
  }
  failures both = thrown(std::make_exception_ptr(std::domain_error("")));
  both.add(std::make_exception_ptr(std::runtime_error("poison")));
  CHECK(reason_of(both) == "an exception without text (std::domain_error); poison");
}

}  // namespace dead_letter_test
