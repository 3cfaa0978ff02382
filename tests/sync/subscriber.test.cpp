#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <vector>

namespace subscriber_test {

namespace {

using msgbus::any_event;
using msgbus::dispatch_error;
using msgbus::subscription;
using msgbus::sync::subscriber;
using msgbus_test::caught;

struct order {
  int id = 0;
};
struct invoice {
  int id = 0;
};

using numbers = std::vector<int>;

inline constexpr msgbus::topic<order> order_placed{"orders.placed"};

}  // namespace

// --- order and counts ----------------------------------------------------------------------------

TEST_CASE("handlers run in the order of subscription, with any patterns", "[D1]") {
  subscriber messages;
  numbers ran;
  numbers expected;
  const std::vector<const char*> patterns{"a.b", "a.*", "a.b", ">", "*.b", "a.>", "a.b", "*.*"};
  for (int i = 0; i < 32; ++i) {
    const char* pattern = patterns[static_cast<std::size_t>(i * 5) % patterns.size()];
    messages.subscribe(pattern, [&ran, i](const order&) { ran.push_back(i); });
    expected.push_back(i);
  }
  CHECK(messages.receive(order{}, "a.b") == 32);
  CHECK(ran == expected);
}

TEST_CASE("the handlers that remain after cancellations keep their order, with any patterns",
          "[D1][D4]") {
  subscriber messages;
  numbers ran;
  std::vector<subscription> all;
  const std::vector<const char*> patterns{"a.b", "a.*", ">", "*.b"};
  for (int i = 0; i < 12; ++i) {
    all.push_back(messages.subscribe(patterns[static_cast<std::size_t>(i) % patterns.size()],
                                     [&ran, i](const order&) { ran.push_back(i); }));
  }
  for (const std::size_t gone : {0U, 1U, 5U, 6U, 11U}) all[gone].cancel();
  messages.subscribe("a.*", [&](const order&) { ran.push_back(12); });
  messages.subscribe("a.b", [&](const order&) { ran.push_back(13); });
  CHECK(messages.receive(order{}, "a.b") == 9);
  CHECK(ran == numbers{2, 3, 4, 7, 8, 9, 10, 12, 13});
}

TEST_CASE("receive returns the number of handlers that ran for the topic", "[D3]") {
  subscriber messages;
  messages.subscribe("a", [](const order&) {});
  messages.subscribe("b", [](const order&) {});
  messages.subscribe("*", [](const order&) {});
  CHECK(messages.receive(order{}, "a") == 2);
  CHECK(messages.receive(order{}, "c") == 1);
  CHECK(messages.receive(order{}, "a.b") == 0);
}

TEST_CASE("a message without a handler is no error, and is counted as unrouted", "[D3]") {
  subscriber messages;
  CHECK(messages.receive(order{}, "a") == 0);
  CHECK(messages.unrouted() == 1);
  auto handler = messages.subscribe("a", [](const order&) {});
  CHECK(messages.receive(order{}, "a") == 1);
  CHECK(messages.unrouted() == 1);
  CHECK(messages.receive(order{}, "b") == 0);
  CHECK(messages.unrouted() == 2);
  handler.cancel();
  CHECK(messages.receive(order{}, "a") == 0);
  CHECK(messages.unrouted() == 3);
}

TEST_CASE("a handler runs once per message, even if several of its patterns match", "[T8]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe({"a.b", "a.*", ">", "a.b", "*.b", "c"}, [&](const order&) { ++ran; });
  CHECK(messages.receive(order{}, "a.b") == 1);
  CHECK(ran == 1);
  CHECK(messages.receive(order{}, "c") == 1);
  CHECK(ran == 2);
}

TEST_CASE("cancelling a handler detaches it from all its patterns", "[D6][T8]") {
  subscriber messages;
  const auto capture = std::make_shared<int>(0);
  auto handler = messages.subscribe({"a", "b.*", ">"}, [capture](const order&) {});
  handler.cancel();
  CHECK(capture.use_count() == 1);
  for (const char* topic : {"a", "b.c", "d"}) CHECK(messages.receive(order{}, topic) == 0);
}

// --- isolation -----------------------------------------------------------------------------------

TEST_CASE("every handler of a topic runs, and one failure is thrown unchanged", "[D2]") {
  subscriber messages;
  numbers ran;
  const auto failure = std::make_exception_ptr(order{7});
  messages.subscribe("a", [&](const order&) { ran.push_back(1); });
  messages.subscribe("*", [&](const order&) { std::rethrow_exception(failure); });
  messages.subscribe("a", [&](const order&) { ran.push_back(3); });
  CHECK(msgbus_test::thrown_by([&] { messages.receive(order{}, "a"); }) == failure);
  CHECK(ran == numbers{1, 3});
}

TEST_CASE("failures under several patterns are thrown as one dispatch_error, in handler order",
          "[D2]") {
  subscriber messages;
  std::vector<std::exception_ptr> failures;
  for (int i = 0; i < 4; ++i) failures.push_back(std::make_exception_ptr(i));
  messages.subscribe("*", [&](const order&) { std::rethrow_exception(failures[0]); });
  messages.subscribe("a", [&](const order&) { std::rethrow_exception(failures[1]); });
  messages.subscribe(">", [&](const order&) { std::rethrow_exception(failures[2]); });
  messages.subscribe("a", [&](const order&) { std::rethrow_exception(failures[3]); });
  const auto e = caught<dispatch_error>([&] { messages.receive(order{}, "a"); });
  CHECK(e.errors() == failures);
}

// --- ways to subscribe ---------------------------------------------------------------------------

TEST_CASE("a handler's context has the topic") {
  subscriber messages;
  std::string seen;
  messages.subscribe("orders.*", [&](const order&, const msgbus::context& context) {
    seen += std::string(context.topic()) + " ";
    CHECK(context.attempt() == 1);
  });
  messages.receive(order{}, "orders.placed");
  messages.receive(order{}, std::string("orders.paid"));
  CHECK(seen == "orders.placed orders.paid ");
}

TEST_CASE("a typed topic and a plain topic of its name are the same") {
  subscriber messages;
  int sum = 0;
  messages.subscribe(order_placed, [&](const order& message) { sum += message.id; });
  messages.subscribe("orders.placed", [&](const order& message) { sum += 10 * message.id; });
  messages.subscribe("orders.*", [&](const order& message) { sum += 100 * message.id; });
  CHECK(messages.receive(order{1}, order_placed) == 3);
  CHECK(sum == 111);
  CHECK(messages.receive(order{2}, "orders.placed") == 3);
  CHECK(sum == 333);
}

TEST_CASE("a handler of a typed topic may be generic, or accept any event") {
  subscriber messages;
  int ran = 0;
  messages.subscribe(order_placed, [&](const auto& message) { ran += message.id; });
  messages.subscribe(order_placed,
                     [&](any_event message) { ran += 10 * message.get_if<order>()->id; });
  CHECK(messages.receive(order{1}, order_placed) == 2);
  CHECK(ran == 11);
}

TEST_CASE("a generic handler is subscribed for the named types", "[T2]") {
  subscriber messages;
  int sum = 0;
  const auto add = [&](const auto& message) { sum += message.id; };
  messages.subscribe<order>("a", add);
  messages.subscribe<order>(std::string("*"), add);
  messages.subscribe<order>({"a"}, add);
  messages.subscribe<order>({"b", "a"}, add);
  messages.subscribe<order, invoice>("a", add);
  messages.subscribe<invoice, order>({"c", ">"}, add);
  CHECK(messages.receive(order{1}, "a") == 6);
  CHECK(messages.receive<order>(order{1}, "a") == 6);
  CHECK(messages.receive(invoice{1}, "a") == 2);
  CHECK(sum == 14);
}

TEST_CASE("an empty callable is refused as a message handler") {
  subscriber messages;
  void (*null)(const order&) = nullptr;
  CHECK(msgbus_test::code_of([&] { messages.subscribe("a", null); }) ==
        msgbus::errc::bad_arguments);
  CHECK(messages.receive(order{}, "a") == 0);
}

TEST_CASE("a member function is subscribed with its object or a pointer to it") {
  struct projection {
    int sum = 0;
    void on_order(const order& message) { sum += message.id; }
  };
  subscriber messages;
  projection object;
  const auto shared = std::make_shared<projection>();
  messages.subscribe("orders.placed", &projection::on_order, object);
  messages.subscribe({"orders.*", "orders.placed"}, &projection::on_order, &object);
  messages.subscribe(order_placed, &projection::on_order, shared);
  CHECK(messages.receive(order{3}, order_placed) == 3);
  CHECK(object.sum == 6);
  CHECK(shared->sum == 3);
}

// --- changes while dispatching -------------------------------------------------------------------

TEST_CASE("a handler that is subscribed during a dispatch first runs in the next", "[D4]") {
  for (const char* added_pattern : {"a.b", "a.*", "*.b", ">", "a.>"}) {
    for (const char* there_pattern : {"a.b", "a.*"}) {
      INFO(added_pattern << " added by " << there_pattern);
      subscriber messages;
      int added_ran = 0;
      bool adds = true;
      messages.subscribe(there_pattern, [&](const order&) {
        if (!adds) return;
        adds = false;
        for (int i = 0; i < 3; ++i) {
          messages.subscribe(added_pattern, [&](const order&) { ++added_ran; });
        }
      });
      CHECK(messages.receive(order{}, "a.b") == 1);
      CHECK(added_ran == 0);
      CHECK(messages.receive(order{}, "a.b") == 4);
      CHECK(added_ran == 3);
    }
  }
}

TEST_CASE("a handler that is cancelled before its turn does not run, with any patterns", "[D4]") {
  for (const char* pattern : {"a.b", "a.*", "*.b", ">", "a.>"}) {
    INFO(pattern);
    subscriber messages;
    numbers ran;
    subscription next;
    messages.subscribe("a.b", [&](const order&) { next.cancel(); });
    next = messages.subscribe(pattern, [&](const order&) { ran.push_back(1); });
    messages.subscribe(pattern, [&](const order&) { ran.push_back(2); });
    CHECK(messages.receive(order{}, "a.b") == 2);
    CHECK(ran == numbers{2});
  }
}

TEST_CASE(
    "the last handlers of a pattern may be cancelled while a message of the pattern is delivered",
    "[D4][D6]") {
  subscriber messages;
  const auto capture = std::make_shared<int>(0);
  std::vector<subscription> all;
  for (const char* pattern : {"a.*.c", "a.>", "a.b.c", "*.b.c"}) {
    all.push_back(messages.subscribe(pattern, [&, capture](const order&) {
      for (subscription& each : all) each.cancel();
      CHECK(capture.use_count() == 5);
    }));
  }
  CHECK(messages.receive(order{}, "a.b.c") == 1);
  CHECK(capture.use_count() == 1);
  CHECK(messages.receive(order{}, "a.b.c") == 0);
}

TEST_CASE("a handler may receive on its own subscriber, deeply", "[D5]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe("orders.*", [&](const order& message) {
    ++ran;
    if (message.id < 100) CHECK(messages.receive(order{message.id + 1}, "orders.more") == 1);
  });
  CHECK(messages.receive(order{}, "orders.first") == 1);
  CHECK(ran == 101);
}

// --- lifetimes and copies ------------------------------------------------------------------------

TEST_CASE("a message handler that cancels itself keeps its captures until it has returned",
          "[D6]") {
  subscriber messages;
  const auto capture = std::make_shared<int>(0);
  subscription self;
  self = messages.subscribe({"a", "*"}, [&self, capture](const order&) {
    self.cancel();
    CHECK(capture.use_count() == 2);
  });
  CHECK(messages.receive(order{}, "a") == 1);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a subscriber may be destroyed by one of its handlers", "[D8]") {
  auto messages = std::make_unique<subscriber>();
  const auto capture = std::make_shared<int>(0);
  int ran = 0;
  messages->subscribe("*", [&, capture](const order&) {
    messages.reset();
    CHECK(capture.use_count() == 3);
  });
  const subscription second = messages->subscribe("a", [&, capture](const order&) { ++ran; });
  CHECK(messages->receive(order{}, "a") == 1);
  CHECK(ran == 0);
  CHECK(capture.use_count() == 1);
  CHECK_FALSE(second.active());
}

TEST_CASE("a subscription may outlive its subscriber", "[D8]") {
  subscription kept;
  {
    subscriber messages;
    kept = messages.subscribe({"a", "*"}, [](const order&) {});
  }
  CHECK_FALSE(kept.active());
  kept.cancel();
}

TEST_CASE("a subscriber neither copies nor moves a message", "[D9]") {
  using noted = msgbus_test::counted<struct received>;
  static constexpr msgbus::topic<noted> noted_topic{"a"};
  subscriber messages;
  int seen = 0;
  // given: handlers with every form of first parameter by reference
  messages.subscribe({"a", "*"}, [&](const noted& message) { seen += message.value; });
  messages.subscribe("a", [&](msgbus::one_of<int, noted>) {});
  messages.subscribe<noted>(std::string_view(">"),
                            [&](const auto& message) { seen += message.value; });
  messages.subscribe(noted_topic, [&](const noted& message) { seen += message.value; });
  messages.subscribe("a", [&](any_event) {});
  const noted message(1);
  // when: a message is received
  noted::reset();
  CHECK(messages.receive(message, "a") == 5);
  CHECK(messages.receive(message, noted_topic) == 5);
  CHECK(seen == 6);
  // then: it was neither copied nor moved
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);
}

TEST_CASE("a message handler that takes its message by value costs one copy", "[D9]") {
  using noted = msgbus_test::counted<struct received_by_value>;
  subscriber messages;
  messages.subscribe("a", [](noted) {});
  messages.subscribe("*", [](noted) {});
  const noted message;
  noted::reset();
  messages.receive(message, "a");
  CHECK(noted::copies == 2);
  CHECK(noted::moves == 0);
}

}  // namespace subscriber_test
