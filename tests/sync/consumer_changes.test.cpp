// Handlers that are added and cancelled during a dispatch, and verbs inside handlers.

#include <msgbus/sync/consumer.hpp>

#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <functional>
#include <string>
#include <vector>

namespace consumer_changes_test {

namespace {

using msgbus::any_event;
using msgbus::subscription;
using msgbus::sync::consumer;

struct tick {
  int depth = 0;
};
struct tock {};

using numbers = std::vector<int>;

}  // namespace

TEST_CASE("a handler that is added during a dispatch first runs in the next", "[D4]") {
  // With one handler, the second is added in place; with more, the list is replaced.
  for (int before = 0; before < 6; ++before) {
    INFO(before << " handlers before");
    consumer events;
    int added_ran = 0;
    bool adds = true;
    for (int i = 0; i < before; ++i) events.handler([](tick) {});
    events.handler([&](tick) {
      if (!adds) return;
      adds = false;
      events.handler([&](tick) { ++added_ran; });
    });
    CHECK(events.consume(tick{}) == static_cast<std::size_t>(before) + 1);
    CHECK(added_ran == 0);
    CHECK(events.consume(tick{}) == static_cast<std::size_t>(before) + 2);
    CHECK(added_ran == 1);
  }
}

TEST_CASE("an any_event handler that is added during a dispatch first runs in the next",
          "[D4][T4]") {
  for (const bool has_any_before : {false, true}) {
    consumer events;
    int added_ran = 0;
    bool adds = true;
    if (has_any_before) events.handler([](any_event) {});
    events.handler([&](tick) {
      if (!adds) return;
      adds = false;
      events.handler([&](any_event) { ++added_ran; });
    });
    CHECK(events.consume(tick{}) == (has_any_before ? 2 : 1));
    CHECK(added_ran == 0);
    events.consume(tick{});
    CHECK(added_ran == 1);
  }
}

TEST_CASE("a typed handler that an any_event handler adds first runs in the next dispatch",
          "[D4][T4]") {
  consumer events;
  int added_ran = 0;
  bool adds = true;
  events.handler([&](any_event) {
    if (!adds) return;
    adds = false;
    events.handler([&](tick) { ++added_ran; });
  });
  CHECK(events.consume(tick{}) == 1);
  CHECK(added_ran == 0);
  CHECK(events.consume(tick{}) == 2);
}

TEST_CASE("a handler that is added during a dispatch runs in a nested dispatch", "[D4][D5]") {
  consumer events;
  numbers ran;
  events.handler([&](tick event) {
    if (event.depth > 0) return;
    events.handler([&](tick inner) { ran.push_back(inner.depth); });
    CHECK(events.consume(tick{1}) == 2);
  });
  CHECK(events.consume(tick{0}) == 1);
  CHECK(ran == numbers{1});
}

TEST_CASE("a handler that is cancelled before its turn does not run", "[D4]") {
  consumer events;
  numbers ran;
  std::vector<subscription> all(5);
  // given: five handlers, the second of which cancels others
  all[0] = events.handler([&](tick) { ran.push_back(0); });
  all[1] = events.handler([&](tick) {
    ran.push_back(1);
    all[0].cancel();  // has run
    all[2].cancel();  // is next
    all[4].cancel();  // is last
  });
  for (const int i : {2, 3, 4}) {
    all[static_cast<std::size_t>(i)] = events.handler([&ran, i](tick) { ran.push_back(i); });
  }
  // then: the cancelled ones do not run in this dispatch
  CHECK(events.consume(tick{}) == 3);
  CHECK(ran == numbers{0, 1, 3});
  // then: nor in the next one
  CHECK(events.consume(tick{}) == 2);
  CHECK(ran == numbers{0, 1, 3, 1, 3});
}

TEST_CASE("an any_event handler that is cancelled before its turn does not run", "[D4][T4]") {
  consumer events;
  int ran = 0;
  subscription any = events.handler([&](any_event) { ++ran; });
  events.handler([&](tick) { any.cancel(); });
  CHECK(events.consume(tick{}) == 1);
  CHECK(ran == 0);
}

TEST_CASE("a handler may cancel itself, and the others run", "[D4][D6]") {
  consumer events;
  numbers ran;
  subscription self;
  events.handler([&](tick) { ran.push_back(1); });
  self = events.handler([&](tick) {
    ran.push_back(2);
    self.cancel();
    CHECK_FALSE(self.active());
  });
  events.handler([&](tick) { ran.push_back(3); });
  CHECK(events.consume(tick{}) == 3);
  CHECK(events.consume(tick{}) == 2);
  CHECK(ran == numbers{1, 2, 3, 1, 3});
}

TEST_CASE("the first handler may cancel all handlers", "[D4]") {
  consumer events;
  std::vector<subscription> all;
  int ran = 0;
  for (int i = 0; i < 10; ++i) {
    all.push_back(events.handler([&](tick) {
      ++ran;
      for (subscription& each : all) each.cancel();
    }));
  }
  CHECK(events.consume(tick{}) == 1);
  CHECK(ran == 1);
  CHECK(events.consume(tick{}) == 0);
}

TEST_CASE("a handler may replace itself in every dispatch", "[D4]") {
  consumer events;
  int ran = 0;
  subscription current;
  std::function<void(tick)> replace = [&](tick) {
    ++ran;
    current.cancel();
    current = events.handler(replace);
  };
  current = events.handler(replace);
  for (int i = 1; i <= 50; ++i) {
    CHECK(events.consume(tick{}) == 1);
    CHECK(ran == i);
  }
}

TEST_CASE("a handler that cancels itself and throws counts as one failure", "[D2][D4]") {
  consumer events;
  subscription self;
  self = events.handler([&](tick) {
    self.cancel();
    throw 1;
  });
  CHECK_THROWS_AS(events.consume(tick{}), int);
  CHECK(events.consume(tick{}) == 0);
}

// --- verbs inside of handlers --------------------------------------------------------------------

TEST_CASE("a handler may consume on its own consumer, deeply", "[D5]") {
  constexpr int deepest = 1000;
  consumer events;
  int entered = 0;
  int left = 0;
  events.handler([&](tick event) {
    CHECK(entered == event.depth);
    ++entered;
    if (event.depth + 1 < deepest) CHECK(events.consume(tick{event.depth + 1}) == 1);
    ++left;
    CHECK(left == deepest - event.depth);
  });
  CHECK(events.consume(tick{}) == 1);
  CHECK(entered == deepest);
  entered = left = 0;
  CHECK(events.consume(tick{}) == 1);  // a second run, with memory of the first
  CHECK(left == deepest);
}

TEST_CASE("a cancellation in a nested call takes effect in all outer calls", "[D4][D5][D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  numbers seconds;
  subscription second;
  events.handler([&](tick event) {
    if (event.depth < 100) {
      events.consume(tick{event.depth + 1});
    } else {
      second.cancel();
    }
  });
  second = events.handler([&, capture](tick event) { seconds.push_back(event.depth); });
  CHECK(events.consume(tick{}) == 1);
  CHECK(seconds.empty());
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a failure in a nested call is thrown through all outer handlers", "[D2][D5]") {
  consumer events;
  const auto failure = std::make_exception_ptr(std::runtime_error("deep"));
  events.handler([&](tick event) {
    if (event.depth == 100) std::rethrow_exception(failure);
    events.consume(tick{event.depth + 1});
  });
  CHECK(msgbus_test::thrown_by([&] { events.consume(tick{}); }) == failure);
}

TEST_CASE("a handler may use any component", "[D5]") {
  consumer events;
  msgbus::sync::producer producer;
  msgbus::sync::subscriber subscriber;
  msgbus::sync::publisher publisher;
  msgbus::sync::service service;
  // given: handlers that call other components
  producer.bind(events);
  publisher.bind(subscriber);
  std::string ran;
  auto add = service.handler("add", [&](int a, int b) {
    ran += "add ";
    return a + b;
  });
  events.handler([&](tock) { ran += "tock "; });
  subscriber.subscribe("ticks", [&](tick event) {
    ran += "received ";
    CHECK(service.execute<int>("add", event.depth, 1) == 6);
    CHECK(add(1, 2) == 3);
    CHECK(producer.dispatch(tock{}) == 1);
  });
  events.handler([&](tick event) {
    ran += "tick ";
    CHECK(publisher.publish(event, "ticks") == 1);
  });
  // when: an event is dispatched
  CHECK(producer.dispatch(tick{5}) == 1);
  // then: all run, nested
  CHECK(ran == "tick received add add tock ");
}

TEST_CASE("two consumers may call each other alternately", "[D5]") {
  consumer left;
  consumer right;
  int calls = 0;
  left.handler([&](tick event) {
    ++calls;
    if (event.depth < 50) right.consume(tick{event.depth + 1});
  });
  right.handler([&](tick event) {
    ++calls;
    if (event.depth < 50) left.consume(tick{event.depth + 1});
  });
  left.consume(tick{0});
  CHECK(calls == 51);
}

}  // namespace consumer_changes_test
