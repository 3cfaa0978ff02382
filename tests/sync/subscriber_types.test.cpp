// The types of messages and of handlers: exact, converted, and mismatched.

#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace subscriber_types_test {

namespace {

using msgbus::any_event;
using msgbus::errc;
using msgbus::one_of;
using msgbus::sync::subscriber;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

struct order {
  int id = 0;
};
struct invoice {
  int id = 0;
};

}  // namespace

TEST_CASE("a text of every kind is received as a string and as a string_view", "[T5]") {
  subscriber messages;
  std::string seen;
  messages.subscribe("t", [&](const std::string& text) { seen += text + "/"; });
  messages.subscribe("t", [&](std::string_view text) { seen += std::string(text) + " "; });
  const char* pointer = "pointer";
  char written[] = "written";
  CHECK(messages.receive("literal", "t") == 2);
  CHECK(messages.receive(pointer, "t") == 2);
  CHECK(messages.receive(written, "t") == 2);
  CHECK(messages.receive(std::string("string"), "t") == 2);
  CHECK(messages.receive(std::string_view("view"), "t") == 2);
  CHECK(seen == "literal/literal pointer/pointer written/written string/string view/view ");
}

TEST_CASE("a number is received by every handler whose type can hold it, and by no other", "[T5]") {
  subscriber messages;
  std::string took;
  messages.subscribe("n", [&](std::int8_t) { took += "i8 "; });
  messages.subscribe("n", [&](std::uint8_t) { took += "u8 "; });
  messages.subscribe("n", [&](std::int64_t) { took += "i64 "; });
  messages.subscribe("n", [&](std::uint64_t) { took += "u64 "; });
  messages.subscribe("n", [&](float) { took += "f "; });
  messages.subscribe("n", [&](double) { took += "d "; });
  messages.subscribe("n", [&](bool) { took += "b "; });
  messages.subscribe("n", [&](const std::string&) { took += "s "; });
  const auto takers_of = [&](auto number) {
    took.clear();
    messages.receive(number, "n");
    return took;
  };
  CHECK(takers_of(1) == "i8 u8 i64 u64 f d b ");
  CHECK(takers_of(2U) == "i8 u8 i64 u64 f d ");
  CHECK(takers_of(-1) == "i8 i64 f d ");
  CHECK(takers_of(200) == "u8 i64 u64 f d ");
  CHECK(takers_of((1 << 24) + 1) == "i64 u64 d ");
  CHECK(takers_of((std::int64_t{1} << 53) + 1) == "i64 u64 ");
  CHECK(takers_of(std::numeric_limits<std::uint64_t>::max()) == "u64 ");
  CHECK(takers_of('a') == "i8 u8 i64 u64 f d ");
  CHECK(takers_of(1.5F) == "f d ");
  CHECK(takers_of(1.5) == "d ");
}

TEST_CASE("a converted message has the sent value", "[T5]") {
  subscriber messages;
  double as_double = 0;
  std::int64_t as_wide = 0;
  messages.subscribe("n", [&](double value) { as_double = value; });
  messages.subscribe("n", [&](const std::int64_t& value) { as_wide = value; });
  messages.receive(-7, "n");
  CHECK(as_double == -7.0);
  CHECK(as_wide == -7);
}

TEST_CASE("a handler of several types gets a message as its exact type before a conversion",
          "[T2][T5]") {
  subscriber messages;
  std::string took;
  messages.subscribe("n", [&](one_of<double, int, std::string> message) {
    took += std::string(message.name()) + " ";
  });
  CHECK(messages.receive(5, "n") == 1);
  CHECK(messages.receive(5L, "n") == 1);
  CHECK(messages.receive("text", "n") == 1);
  CHECK(messages.receive(5.0, "n") == 1);
  CHECK(took == "int double std::string double ");
}

TEST_CASE("a handler of several types runs once per message", "[T2]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe<int, long, double, int>("n", [&](const auto&) { ++ran; });
  messages.subscribe<order, invoice>({"n", "*"}, [&](const auto&) { ++ran; });
  CHECK(messages.receive(5, "n") == 1);
  CHECK(messages.receive(invoice{}, "n") == 1);
  CHECK(ran == 2);
}

TEST_CASE("an any_event handler gets a message as its own type", "[T4]") {
  subscriber messages;
  std::string seen;
  messages.subscribe("*", [&](any_event message) { seen += std::string(message.name()) + " "; });
  messages.subscribe("t", [&](long) { seen += "converted "; });
  CHECK(messages.receive(5, "t") == 2);
  CHECK(messages.receive(5.5, "t") == 1);
  CHECK(seen == "int converted double ");
}

TEST_CASE("a handler that is registered for any_event gets every message", "[T4]") {
  subscriber messages;
  std::string seen;
  messages.subscribe<any_event>(
      "*", [&](const auto& message) { seen += std::string(message.name()) + " "; });
  messages.subscribe<order, any_event>({"t"}, [&](any_event) { seen += "second "; });
  CHECK(messages.receive(5, "t") == 2);
  CHECK(messages.receive(5.5, "u") == 1);
  CHECK(seen == "int second double ");
}

TEST_CASE("a variant is received as its active alternative", "[T3][T5]") {
  subscriber messages;
  std::string seen;
  messages.subscribe("t", [&](const order& message) { seen += std::to_string(message.id); });
  messages.subscribe("t", [&](const std::string& message) { seen += message; });
  using inner = std::variant<const char*, order>;
  CHECK(messages.receive(std::variant<int, inner>(inner(order{7})), "t") == 1);
  CHECK(messages.receive(std::variant<int, inner>(inner("text")), "t") == 1);
  CHECK(seen == "7text");
  CHECK(text_of([&] { messages.receive(std::variant<int, inner>(5), "t"); }) ==
        text_of([&] { messages.receive(5, "t"); }));
}

// --- mismatches ----------------------------------------------------------------------------------

TEST_CASE(
    "a message type that no handler of its topic accepts is a mismatch, and the error names both",
    "[T6]") {
  subscriber messages;
  messages.subscribe("orders.*", [](const order&) {});
  messages.subscribe({"orders.placed", "x"}, [](one_of<int, invoice>) {});
  const auto send = [&] { messages.receive(std::string("text"), "orders.placed"); };
  CHECK(code_of(send) == errc::type_mismatch);
  const std::string text = text_of(send);
  CHECK_THAT(text, contains("std::string"));
  CHECK_THAT(text, contains("'orders.placed'"));
  CHECK_THAT(text,
             contains("handler of " + std::string(msgbus::type_name<order>()) + " on 'orders.*'"));
  CHECK_THAT(text, contains("handler of int | " + std::string(msgbus::type_name<invoice>()) +
                            " on 'orders.placed', 'x'"));
  CHECK(messages.unrouted() == 2);
}

TEST_CASE("a message that one handler accepts is no mismatch for the others", "[T6]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe("a", [](const invoice&) {});
  messages.subscribe("a", [&](const order&) { ++ran; });
  CHECK(messages.receive(order{}, "a") == 1);
  CHECK(ran == 1);
}

TEST_CASE("a handler that accepts the type and throws has accepted it", "[D2][T6]") {
  subscriber messages;
  messages.subscribe("a", [](const invoice&) {});
  messages.subscribe("a", [](const order&) { throw 5; });
  CHECK_THROWS_AS(messages.receive(order{}, "a"), int);
}

TEST_CASE("handlers of other topics cause no mismatch", "[T6]") {
  subscriber messages;
  messages.subscribe("b", [](const invoice&) {});
  CHECK(messages.receive(order{}, "a") == 0);
}

TEST_CASE("cancelled handlers cause no mismatch", "[T6]") {
  subscriber messages;
  auto handler = messages.subscribe("a", [](const invoice&) {});
  CHECK(code_of([&] { messages.receive(order{}, "a"); }) == errc::type_mismatch);
  handler.cancel();
  CHECK(messages.receive(order{}, "a") == 0);
}

TEST_CASE("a value that no handler's type can hold is a mismatch, and the error names the value",
          "[T5][T6]") {
  subscriber messages;
  messages.subscribe("n", [](std::int8_t) {});
  const auto send = [&] { messages.receive(300, "n"); };
  CHECK(code_of(send) == errc::type_mismatch);
  CHECK_THAT(text_of(send), contains("300 (int)"));
  CHECK(messages.receive(100, "n") == 1);
}

TEST_CASE("a null pointer to characters is no text, and the error names it", "[T5][T6]") {
  subscriber messages;
  const char* null = nullptr;
  messages.subscribe("t", [](const std::string&) {});
  messages.subscribe("t", [](std::string_view) {});
  const auto send = [&] { messages.receive(null, "t"); };
  CHECK(code_of(send) == errc::type_mismatch);
  CHECK_THAT(text_of(send), contains("a null pointer"));
  CHECK(code_of([&] { messages.receive(nullptr, "t"); }) == errc::type_mismatch);

  messages.subscribe("t", [](const char* text) { CHECK(text == nullptr); });
  CHECK(messages.receive(null, "t") == 1);
}

TEST_CASE("a conversion with a loss is a mismatch", "[T5][T6]") {
  subscriber messages;
  messages.subscribe("f", [](float) {});
  messages.subscribe("i", [](int) {});
  messages.subscribe("s", [](const std::string&) {});
  CHECK(code_of([&] { messages.receive(1.0, "f"); }) == errc::type_mismatch);
  CHECK(code_of([&] { messages.receive(1.0F, "i"); }) == errc::type_mismatch);
  CHECK(code_of([&] { messages.receive("5", "i"); }) == errc::type_mismatch);
  CHECK(code_of([&] { messages.receive(5, "s"); }) == errc::type_mismatch);
  CHECK(code_of([&] { messages.receive('c', "s"); }) == errc::type_mismatch);
}

TEST_CASE("a mismatch inside a handler is the handler's failure", "[D5][T6]") {
  subscriber messages;
  messages.subscribe("inner", [](const invoice&) {});
  messages.subscribe("outer", [&](const order& message) { messages.receive(message, "inner"); });
  CHECK(code_of([&] { messages.receive(order{}, "outer"); }) == errc::type_mismatch);
  CHECK_THAT(text_of([&] { messages.receive(order{}, "outer"); }), contains("'inner'"));
}

}  // namespace subscriber_types_test
