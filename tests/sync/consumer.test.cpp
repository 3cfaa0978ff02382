#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>
#include <variant>
#include <vector>

namespace consumer_test {

namespace {

using msgbus::any_event;
using msgbus::dispatch_error;
using msgbus::one_of;
using msgbus::sync::consumer;
using msgbus_test::caught;
using msgbus_test::thrown_by;

struct user {
  int id = 0;
};
struct order {
  int id = 0;
};
template <class T>
struct created {
  T entity;
};
struct deleted {
  int id = 0;
};

using numbers = std::vector<int>;

}  // namespace

// --- order and counts ----------------------------------------------------------------------------

TEST_CASE("handlers run in the order in which they were registered", "[D1]") {
  consumer events;
  numbers ran;
  numbers expected;
  for (int i = 0; i < 20; ++i) {
    events.handler([&ran, i](const user&) { ran.push_back(i); });
    expected.push_back(i);
  }
  CHECK(events.consume(user{}) == 20);
  CHECK(ran == expected);
}

TEST_CASE("handlers of one type and of several run in one order", "[D1][T2]") {
  consumer events;
  numbers ran;
  events.handler([&](const user&) { ran.push_back(1); });
  events.handler<order, user>([&](const auto&) { ran.push_back(2); });
  events.handler([&](const order&) { ran.push_back(3); });
  events.handler([&](one_of<user, order>) { ran.push_back(4); });
  events.handler([&](user) { ran.push_back(5); });
  events.consume(user{});
  CHECK(ran == numbers{1, 2, 4, 5});
}

TEST_CASE("the handlers that remain after cancellations keep their order", "[D1][D4]") {
  consumer events;
  numbers ran;
  std::vector<msgbus::subscription> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(events.handler([&ran, i](const user&) { ran.push_back(i); }));
  }
  for (const std::size_t gone : {0U, 3U, 7U, 4U}) all[gone].cancel();
  events.handler([&](const user&) { ran.push_back(8); });
  CHECK(events.consume(user{}) == 5);
  CHECK(ran == numbers{1, 2, 5, 6, 8});
}

TEST_CASE("consume returns the number of handlers that ran", "[D3]") {
  consumer events;
  CHECK(events.consume(user{}) == 0);
  events.handler([](const user&) {});
  events.handler([](any_event) {});
  events.handler([](const order&) {});
  CHECK(events.consume(user{}) == 2);
  CHECK(events.consume(deleted{}) == 1);
}

TEST_CASE("an event without a handler is no error, and is counted as unrouted", "[D3]") {
  consumer events;
  CHECK(events.unrouted() == 0);
  CHECK(events.consume(user{}) == 0);
  CHECK(events.unrouted() == 1);
  auto handler = events.handler([](const user&) {});
  CHECK(events.consume(user{}) == 1);
  CHECK(events.unrouted() == 1);
  CHECK(events.consume(order{}) == 0);
  CHECK(events.unrouted() == 2);
  handler.cancel();
  CHECK(events.consume(user{}) == 0);
  CHECK(events.unrouted() == 3);
}

TEST_CASE("an event that only any_event handlers handle is not unrouted", "[D3][T4]") {
  consumer events;
  events.handler([](any_event) {});
  CHECK(events.consume(user{}) == 1);
  CHECK(events.unrouted() == 0);
}

TEST_CASE("an event whose handlers are all cancelled during the dispatch is unrouted", "[D3][D4]") {
  consumer events;
  msgbus::subscription handler;
  handler = events.handler([&](const user&) {
    handler.cancel();
    CHECK(events.consume(user{}) == 0);
  });
  CHECK(events.consume(user{}) == 1);
  CHECK(events.unrouted() == 1);
}

// --- isolation -----------------------------------------------------------------------------------

TEST_CASE("every handler runs, even if others throw", "[D2]") {
  consumer events;
  numbers ran;
  for (int i = 0; i < 4; ++i) {
    events.handler([&ran, i](const user&) {
      ran.push_back(i);
      if (i % 2 == 0) throw std::runtime_error("even");
    });
  }
  CHECK_THROWS_AS(events.consume(user{}), dispatch_error);
  CHECK(ran == numbers{0, 1, 2, 3});
}

TEST_CASE("one failure is thrown as the same exception object that the handler threw", "[D2]") {
  struct peculiar {
    int code;
  };
  consumer events;
  const auto failure = std::make_exception_ptr(peculiar{7});
  events.handler([](const user&) {});
  events.handler([&](const user&) { std::rethrow_exception(failure); });
  events.handler([](const user&) {});
  CHECK(thrown_by([&] { events.consume(user{}); }) == failure);
  CHECK_THROWS_AS(events.consume(user{}), peculiar);
}

TEST_CASE("several failures are thrown as one dispatch_error, in the order of the handlers",
          "[D2]") {
  consumer events;
  const auto first = std::make_exception_ptr(std::runtime_error("first"));
  const auto second = std::make_exception_ptr(2);
  const auto third = std::make_exception_ptr(std::string("third"));
  for (const auto& failure : {first, second, third}) {
    events.handler([failure](const user&) { std::rethrow_exception(failure); });
    events.handler([](const user&) {});
  }
  const auto e = caught<dispatch_error>([&] { events.consume(user{}); });
  CHECK(e.errors() == std::vector<std::exception_ptr>{first, second, third});
  CHECK(e.code() == msgbus::errc::handlers_failed);
  CHECK_THAT(e.what(), msgbus_test::contains("3 failures: first; "));
}

TEST_CASE("failures of any_event handlers come after those of typed ones", "[D2][T4]") {
  consumer events;
  events.handler([](any_event) { throw 1; });
  events.handler([](const user&) { throw 2; });
  const auto e = caught<dispatch_error>([&] { events.consume(user{}); });
  REQUIRE(e.errors().size() == 2);
  CHECK_THROWS_AS(std::rethrow_exception(e.errors()[0]), int);
  try {
    std::rethrow_exception(e.errors()[0]);
  } catch (int thrown) {
    CHECK(thrown == 2);
  }
}

TEST_CASE("a dispatch_error that a handler throws is one failure", "[D2][D5]") {
  consumer events;
  events.handler([](const order&) { throw 1; });
  events.handler([](const order&) { throw 2; });
  events.handler([&](const user&) { events.consume(order{}); });
  // A single failure is thrown unchanged.
  CHECK(caught<dispatch_error>([&] { events.consume(user{}); }).errors().size() == 2);
  // Among other failures, it stays one failure.
  events.handler([](const user&) { throw std::runtime_error("other"); });
  const auto e = caught<dispatch_error>([&] { events.consume(user{}); });
  REQUIRE(e.errors().size() == 2);
  const auto inner = caught<dispatch_error>([&] { std::rethrow_exception(e.errors()[0]); });
  CHECK(inner.errors().size() == 2);
}

TEST_CASE("a failure is released when the verb has thrown it", "[D2]") {
  consumer events;
  bool fails = true;
  events.handler([&](const user&) {
    if (fails) throw 1;
  });
  CHECK_THROWS_AS(events.consume(user{}), int);
  fails = false;
  CHECK(events.consume(user{}) == 1);
}

// --- types ---------------------------------------------------------------------------------------

TEST_CASE("events are routed by exact type", "[T1]") {
  struct base {};
  struct derived : base {};
  consumer events;
  std::string ran;
  events.handler([&](const created<user>&) { ran += "created user, "; });
  events.handler([&](const created<order>&) { ran += "created order, "; });
  events.handler([&](const base&) { ran += "base, "; });
  events.handler([&](int) { ran += "int, "; });
  CHECK(events.consume(created<order>{}) == 1);
  CHECK(events.consume(derived{}) == 0);
  CHECK(events.consume(5L) == 0);
  CHECK(events.consume(5) == 1);
  CHECK(events.consume(base{}) == 1);
  CHECK(ran == "created order, int, base, ");
}

TEST_CASE("an event is routed by its type, const or not", "[T1]") {
  consumer events;
  int ran = 0;
  events.handler([&](const user&) { ++ran; });
  user changing;
  const user constant;
  events.consume(changing);
  events.consume(constant);
  events.consume(user{});
  CHECK(ran == 3);
}

TEST_CASE("a handler gets the event object itself", "[T1][D9]") {
  consumer events;
  const user event{5};
  std::vector<const void*> seen;
  events.handler([&](const user& e) { seen.push_back(&e); });
  events.handler([&](one_of<order, user> e) { seen.push_back(e.get_if<user>()); });
  events.handler<user>([&](const auto& e) { seen.push_back(&e); });
  events.handler([&](any_event e) { seen.push_back(e.get_if<user>()); });
  events.consume(event);
  CHECK(seen == std::vector<const void*>(4, &event));
}

TEST_CASE("a handler of several types runs once for an event of each", "[T2]") {
  consumer events;
  std::string ran;
  events.handler<user, order>([&](const auto& event) {
    ran += std::is_same_v<decltype(event), const user&> ? "user" : "order";
    ran += std::to_string(event.id) + " ";
  });
  CHECK(events.consume(user{1}) == 1);
  CHECK(events.consume(order{2}) == 1);
  CHECK(events.consume(deleted{3}) == 0);
  CHECK(ran == "user1 order2 ");
}

TEST_CASE("a handler that names a type twice runs once", "[T2]") {
  consumer events;
  int ran = 0;
  events.handler<user, order, user, const user>([&](const auto&) { ++ran; });
  auto second = events.handler([&](one_of<user, user>) { ++ran; });
  CHECK(events.consume(user{}) == 2);
  CHECK(ran == 2);
  second.cancel();
  CHECK(events.consume(user{}) == 1);
}

TEST_CASE("a one_of handler accepts its types and no others", "[T2]") {
  consumer events;
  numbers seen;
  events.handler([&](const one_of<user, order>& event) {
    seen.push_back(event.visit([](const auto& as) { return as.id; }));
  });
  events.consume(order{5});
  events.consume(deleted{6});
  events.consume(user{7});
  CHECK(seen == numbers{5, 7});
}

TEST_CASE("a handler may be generic in its event, in any way", "[T2]") {
  consumer events;
  numbers seen;
  events.handler<user>([&](const auto& e) { seen.push_back(e.id); });
  events.handler<user>([&](auto e) { seen.push_back(e.id + 1); });
  events.handler<user>([&](auto&& e) { seen.push_back(e.id + 2); });
  CHECK(events.consume(user{10}) == 3);
  CHECK(seen == numbers{10, 11, 12});
}

TEST_CASE("an overloaded handler is called with the event's own overload", "[T2]") {
  struct overloaded {
    std::string& seen;
    void operator()(const user&) const { seen += "user "; }
    void operator()(const order&) const { seen += "order "; }
  };
  consumer events;
  std::string seen;
  events.handler<user, order>(overloaded{seen});
  events.consume(order{});
  events.consume(user{});
  CHECK(seen == "order user ");
}

TEST_CASE("a variant is routed by its active alternative", "[T3]") {
  consumer events;
  numbers seen;
  events.handler([&](const user& event) { seen.push_back(event.id); });
  events.handler([&](const order& event) { seen.push_back(-event.id); });
  std::variant<user, order, deleted> event = order{2};
  CHECK(events.consume(event) == 1);
  event = user{1};
  CHECK(events.consume(event) == 1);
  event = deleted{3};
  CHECK(events.consume(event) == 0);
  CHECK(seen == numbers{-2, 1});
}

TEST_CASE("a variant of variants is routed by the innermost active alternative", "[T3]") {
  consumer events;
  const user* seen = nullptr;
  events.handler([&](const user& event) { seen = &event; });
  using inner = std::variant<order, user>;
  const std::variant<inner, int> event = inner(user{1});
  CHECK(events.consume(event) == 1);
  CHECK(seen == &std::get<user>(std::get<inner>(event)));
}

TEST_CASE("an any_event handler gets every event, after the typed handlers", "[T4]") {
  consumer events;
  std::string ran;
  events.handler([&](any_event event) { ran += "any " + std::string(event.name()) + ", "; });
  events.handler([&](int) { ran += "int, "; });
  events.handler([&](const any_event&) { ran += "second any, "; });
  events.handler([&](int) { ran += "second int, "; });
  CHECK(events.consume(5) == 4);
  CHECK(ran == "int, second int, any int, second any, ");
  ran.clear();
  CHECK(events.consume(5.0) == 2);
  CHECK(ran == "any double, second any, ");
}

TEST_CASE("an any_event handler gets the alternative of a variant", "[T3][T4]") {
  consumer events;
  std::string seen;
  events.handler([&](any_event event) { seen = event.name(); });
  events.consume(std::variant<int, double>(2.5));
  CHECK(seen == "double");
}

}  // namespace consumer_test
