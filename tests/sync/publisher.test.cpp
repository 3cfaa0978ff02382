#include <msgbus/sync/publisher.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace publisher_test {

namespace {

using msgbus::dispatch_error;
using msgbus::errc;
using msgbus::sync::publisher;
using msgbus::sync::subscriber;
using msgbus_test::caught;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

struct order {
  int id = 0;
};
struct invoice {};

inline constexpr msgbus::topic<order> order_placed{"orders.placed"};

}  // namespace

TEST_CASE("a message goes to the bound subscribers in the order of binding", "[D1]") {
  publisher source;
  subscriber first;
  subscriber second;
  std::string ran;
  second.subscribe("orders.*", [&](const order&) { ran += "second "; });
  first.subscribe("orders.placed", [&](const order&) { ran += "first "; });
  source.bind(first, second);
  CHECK(source.publish(order{}, "orders.placed") == 2);
  CHECK(ran == "first second ");
  CHECK(source.publish(order{}, "orders.paid") == 1);
}

TEST_CASE("a message may be published on a typed topic") {
  publisher source;
  subscriber messages;
  source.bind(messages);
  int seen = 0;
  messages.subscribe(order_placed, [&](const order& message) { seen += message.id; });
  messages.subscribe("orders.*", [&](const order& message, const msgbus::context& context) {
    CHECK(context.topic() == "orders.placed");
    seen += 10 * message.id;
  });
  CHECK(source.publish(order{1}, order_placed) == 2);
  CHECK(seen == 11);
}

TEST_CASE("a message is unrouted for the publisher if no subscriber handles it", "[D3]") {
  publisher source;
  CHECK(source.publish(order{}, "a") == 0);
  CHECK(source.unrouted() == 1);
  subscriber with;
  subscriber without;
  source.bind(without, with);
  with.subscribe("a", [](const order&) {});
  CHECK(source.publish(order{}, "a") == 1);
  CHECK(source.unrouted() == 1);
  CHECK(without.unrouted() == 1);
  CHECK(source.publish(order{}, "b") == 0);
  CHECK(source.unrouted() == 2);
  CHECK(with.unrouted() == 1);
}

TEST_CASE("a second binding of a subscriber has no effect") {
  publisher source;
  subscriber messages;
  messages.subscribe("a", [](const order&) {});
  source.bind(messages, messages);
  source.bind(messages);
  CHECK(source.publish(order{}, "a") == 1);
  source.unbind(messages);
  CHECK(source.publish(order{}, "a") == 0);
  source.unbind(messages);
  source.bind(messages);
  CHECK(source.publish(order{}, "a") == 1);
}

TEST_CASE("a published variant is received as its active alternative", "[T3]") {
  publisher source;
  subscriber messages;
  source.bind(messages);
  int seen = 0;
  messages.subscribe("a", [&](const order& message) { seen = message.id; });
  CHECK(source.publish(std::variant<invoice, std::variant<order>>(order{3}), "a") == 1);
  CHECK(seen == 3);
}

TEST_CASE("a published message is converted for each handler that needs it", "[T5]") {
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  std::string seen;
  first.subscribe("t", [&](const std::string& text) { seen += text + " "; });
  second.subscribe("t", [&](std::string_view text) { seen += text; });
  CHECK(source.publish("literal", "t") == 2);
  CHECK(seen == "literal literal");
}

TEST_CASE("a publisher neither copies nor moves a message", "[D9]") {
  using noted = msgbus_test::counted<struct published>;
  static constexpr msgbus::topic<noted> noted_topic{"a"};
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  first.subscribe("a", [](const noted&) {});
  second.subscribe("*", [](const noted&) {});
  const noted message;
  noted::reset();
  CHECK(source.publish(message, "a") == 2);
  CHECK(source.publish(message, noted_topic) == 2);
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);
}

// --- failures ------------------------------------------------------------------------------------

TEST_CASE("failures of several subscribers are thrown as one dispatch_error, in order", "[D2]") {
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  std::vector<std::exception_ptr> failures;
  for (int i = 0; i < 3; ++i) failures.push_back(std::make_exception_ptr(i));
  second.subscribe("a", [&](const order&) { std::rethrow_exception(failures[2]); });
  first.subscribe("*", [&](const order&) { std::rethrow_exception(failures[0]); });
  first.subscribe("a", [&](const order&) { std::rethrow_exception(failures[1]); });
  CHECK(caught<dispatch_error>([&] { source.publish(order{}, "a"); }).errors() == failures);
}

TEST_CASE("one failure of a subscriber is thrown unchanged, after all subscribers", "[D2]") {
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  int ran = 0;
  const auto failure = std::make_exception_ptr(invoice{});
  first.subscribe("a", [&](const order&) { std::rethrow_exception(failure); });
  second.subscribe("a", [&](const order&) { ++ran; });
  CHECK(msgbus_test::thrown_by([&] { source.publish(order{}, "a"); }) == failure);
  CHECK(ran == 1);
}

TEST_CASE("a type that no subscriber accepts is a mismatch, and the error names the handlers",
          "[T6]") {
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  first.subscribe("a", [](const order&) {});
  second.subscribe("*", [](int) {});
  const auto send = [&] { source.publish(invoice{}, "a"); };
  CHECK(code_of(send) == errc::type_mismatch);
  CHECK_THAT(text_of(send), contains(std::string(msgbus::type_name<invoice>())));
  CHECK_THAT(text_of(send), contains("'a'"));
  CHECK_THAT(text_of(send), contains("handler of " + std::string(msgbus::type_name<order>())));
  CHECK_THAT(text_of(send), contains("handler of int on '*'"));
}

TEST_CASE("a type that one subscriber accepts is no mismatch", "[T6]") {
  for (const bool taker_first : {false, true}) {
    publisher source;
    subscriber taker;
    subscriber other;
    taker.subscribe("a", [](const order&) {});
    other.subscribe("a", [](const invoice&) {});
    if (taker_first) {
      source.bind(taker, other);
    } else {
      source.bind(other, taker);
    }
    CHECK(source.publish(order{}, "a") == 1);
    CHECK(other.unrouted() == 1);
    CHECK(source.unrouted() == 0);
  }
}

TEST_CASE("a mismatch in one subscriber is a mismatch if the other has no handler", "[T6]") {
  publisher source;
  subscriber silent;
  subscriber other;
  source.bind(other, silent);
  other.subscribe("a", [](const invoice&) {});
  CHECK(code_of([&] { source.publish(order{}, "a"); }) == errc::type_mismatch);
  CHECK(source.unrouted() == 1);
}

TEST_CASE("publish refuses an invalid topic, with or without subscribers", "[T7]") {
  publisher source;
  subscriber empty;
  subscriber messages;
  messages.subscribe(">", [](int) { FAIL("a handler ran for an invalid topic"); });
  for (int step = 0; step < 3; ++step) {
    for (const char* topic : {"", ".", "a..b", "a.", "a.*", ">", "a b"}) {
      INFO("'" << topic << "' with " << step << " subscribers");
      CHECK(code_of([&] { source.publish(1, topic); }) == errc::invalid_topic);
    }
    source.bind(empty);
    if (step == 1) source.bind(messages);
  }
  source.unbind(empty);
  source.unbind(messages);
  CHECK(code_of([&] { source.publish(1, "a.*"); }) == errc::invalid_topic);
  CHECK(source.unrouted() == 0);
}

// --- changes and lifetimes -----------------------------------------------------------------------

TEST_CASE("a subscriber that is bound during a publish first gets the next message", "[D4]") {
  publisher source;
  subscriber there;
  subscriber late;
  source.bind(there);
  there.subscribe("a", [&](const order&) { source.bind(late); });
  int ran = 0;
  late.subscribe("a", [&](const order&) { ++ran; });
  CHECK(source.publish(order{}, "a") == 1);
  CHECK(ran == 0);
  CHECK(source.publish(order{}, "a") == 2);
}

TEST_CASE("a subscriber that is unbound before its turn does not get the message", "[D4]") {
  publisher source;
  subscriber first;
  subscriber second;
  source.bind(first, second);
  first.subscribe("a", [&](const order&) { source.unbind(second); });
  second.subscribe("a", [](const order&) { FAIL("ran after it was unbound"); });
  CHECK(source.publish(order{}, "a") == 1);
}

TEST_CASE("a handler may publish with the publisher that called it, deeply", "[D5]") {
  publisher source;
  subscriber messages;
  source.bind(messages);
  int ran = 0;
  messages.subscribe("orders.*", [&](const order& message) {
    ++ran;
    if (message.id < 100) CHECK(source.publish(order{message.id + 1}, "orders.more") == 1);
  });
  CHECK(source.publish(order{}, order_placed) == 1);
  CHECK(ran == 101);
}

TEST_CASE("subscribers and publishers may be destroyed in any order", "[D8]") {
  publisher source;
  subscriber lasting;
  lasting.subscribe("a", [](const order&) {});
  const auto capture = std::make_shared<int>(0);
  {
    subscriber passing;
    passing.subscribe("a", [capture](const order&) {});
    publisher other;
    source.bind(passing, lasting);
    other.bind(passing, lasting);
    CHECK(source.publish(order{}, "a") == 2);
  }
  CHECK(capture.use_count() == 1);
  CHECK(source.publish(order{}, "a") == 1);
  CHECK(lasting.receive(order{}, "a") == 1);
}

TEST_CASE("a publisher releases a destroyed subscriber", "[D8]") {
  publisher source;
  const auto overrides = std::make_shared<msgbus::provider>();
  {
    subscriber passing(overrides);
    source.bind(passing);
  }
  CHECK(overrides.use_count() == 1);
}

TEST_CASE("a subscriber may be destroyed by its handler while it is bound", "[D8]") {
  publisher source;
  auto passing = std::make_unique<subscriber>();
  subscriber lasting;
  source.bind(*passing, lasting);
  const auto capture = std::make_shared<int>(0);
  passing->subscribe("a", [&, capture](const order&) {
    passing.reset();
    CHECK(capture.use_count() == 2);
  });
  lasting.subscribe("a", [](const order&) {});
  CHECK(source.publish(order{}, "a") == 2);
  CHECK(capture.use_count() == 1);
  CHECK(source.publish(order{}, "a") == 1);
}

TEST_CASE("a publisher may be destroyed by a handler that it called", "[D8]") {
  auto source = std::make_unique<publisher>();
  subscriber messages;
  source->bind(messages);
  int ran = 0;
  messages.subscribe("a", [&](const order&) { source.reset(); });
  messages.subscribe("a", [&](const order&) { ++ran; });
  CHECK(source->publish(order{}, "a") == 2);
  CHECK(ran == 1);
  CHECK(messages.receive(order{}, "a") == 2);
}

TEST_CASE("a publisher keeps no memory for destroyed subscribers", "[D8]") {
  auto overrides = std::make_shared<msgbus::provider>();
  msgbus::sync::publisher source;
  {
    msgbus::sync::subscriber brief(overrides);
    source.bind(brief);
    CHECK(overrides.use_count() == 2);
  }
  CHECK(overrides.use_count() == 1);
}

}  // namespace publisher_test
