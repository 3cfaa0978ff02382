// The destruction of captures and of consumers, and the copies of events.

#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace consumer_lifetimes_test {

namespace {

using msgbus::any_event;
using msgbus::one_of;
using msgbus::scoped_subscription;
using msgbus::subscription;
using msgbus::sync::consumer;

struct tick {
  int depth = 0;
};

// Runs a function when its last copy is destroyed.
class at_end {
 public:
  explicit at_end(std::function<void()> f) : f_(new std::function<void()>(std::move(f)), &run) {}

 private:
  static void run(std::function<void()>* f) {
    (*f)();
    delete f;
  }
  std::shared_ptr<std::function<void()>> f_;
};

}  // namespace

// --- cancelling ----------------------------------------------------------------------------------

TEST_CASE("when cancel has returned outside of handlers, the captures are destroyed", "[D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  subscription handler = events.handler([capture](tick) {});
  events.consume(tick{});
  CHECK(capture.use_count() == 2);
  handler.cancel();
  CHECK(capture.use_count() == 1);
  CHECK_FALSE(handler.active());
}

TEST_CASE("a handler that cancels itself keeps its captures until it has returned", "[D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  subscription self;
  self = events.handler([&self, capture](tick) {
    self.cancel();
    CHECK(capture.use_count() == 2);
    self.cancel();
    CHECK(capture.use_count() == 2);
  });
  events.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE(
    "captures of a handler that was cancelled inside a handler are destroyed when the verb returns",
    "[D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  subscription other;
  events.handler([&](tick) {
    other.cancel();
    CHECK(capture.use_count() == 2);
  });
  other = events.handler([capture](tick) {});
  events.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE("captures exist until the outermost call of their handler has returned", "[D5][D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  subscription self;
  self = events.handler([&, capture](tick event) {
    if (event.depth == 10) {
      self.cancel();
    } else {
      events.consume(tick{event.depth + 1});
    }
    CHECK(capture.use_count() == 2);
  });
  events.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE("captures are destroyed also if the handler throws after it has cancelled itself",
          "[D2][D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  subscription self;
  self = events.handler([&self, capture](tick) {
    self.cancel();
    throw *capture;
  });
  CHECK_THROWS_AS(events.consume(tick{}), int);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("two handlers may cancel each other", "[D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  int ran = 0;
  subscription first;
  subscription second;
  first = events.handler([&, capture](tick) {
    ++ran;
    second.cancel();
  });
  second = events.handler([&, capture](tick) {
    ++ran;
    first.cancel();
  });
  // then: the first one runs, and the captures of the second are destroyed
  CHECK(events.consume(tick{}) == 1);
  CHECK(ran == 1);
  CHECK(first.active());
  CHECK(capture.use_count() == 2);
}

TEST_CASE("two handlers of two consumers may cancel each other while both run", "[D5][D6]") {
  consumer left;
  consumer right;
  const auto capture = std::make_shared<int>(0);
  subscription first;
  subscription second;
  first = left.handler([&, capture](tick) {
    right.consume(tick{});
    second.cancel();
  });
  second = right.handler([&, capture](tick) {
    first.cancel();
    CHECK(capture.use_count() == 3);
  });
  left.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a handler may cancel a handler of a consumer that is not dispatching", "[D6]") {
  consumer events;
  consumer idle;
  const auto capture = std::make_shared<int>(0);
  subscription other = idle.handler([capture](tick) {});
  events.handler([&](tick) {
    other.cancel();
    CHECK_FALSE(other.active());
  });
  events.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a capture's destructor may cancel the handler that it belongs to", "[D6]") {
  consumer events;
  int ended = 0;
  subscription handler;
  handler = events.handler([end = at_end([&] {
                              handler.cancel();
                              ++ended;
                            })](tick) {});
  handler.cancel();
  CHECK(ended == 1);
  CHECK(events.consume(tick{}) == 0);
}

TEST_CASE("a capture's destructor may cancel its own handler also after a self-cancel", "[D6]") {
  consumer events;
  int ended = 0;
  subscription handler;
  handler = events.handler([&handler, end = at_end([&] {
                                        handler.cancel();
                                        ++ended;
                                      })](tick) { handler.cancel(); });
  events.consume(tick{});
  CHECK(ended == 1);
}

TEST_CASE("a capture's destructor may cancel other handlers", "[D6]") {
  consumer events;
  const auto capture = std::make_shared<int>(0);
  auto other = std::make_shared<scoped_subscription>(events.handler([capture](tick) {}));
  subscription first = events.handler([other](tick) {});
  subscription second = events.handler([other](tick) {});
  other.reset();
  first.cancel();
  CHECK(capture.use_count() == 2);
  second.cancel();
  CHECK(capture.use_count() == 1);
  CHECK(events.consume(tick{}) == 0);
}

TEST_CASE("a capture's destructor may use the consumer", "[D5][D6]") {
  consumer events;
  int ran = 0;
  subscription handler = events.handler([end = at_end([&] {
                                           events.handler([&](tick) { ++ran; });
                                           events.consume(tick{});
                                         })](tick) {});
  handler.cancel();
  CHECK(ran == 1);
}

TEST_CASE("the object of a shared pointer with a member function lives until the cancellation",
          "[D6]") {
  struct projection {
    int sum = 0;
    void on_tick(const tick& event) { sum += event.depth; }
  };
  consumer events;
  auto object = std::make_shared<projection>();
  const std::weak_ptr<projection> watch = object;
  subscription handler = events.handler(&projection::on_tick, std::move(object));
  events.consume(tick{5});
  REQUIRE_FALSE(watch.expired());
  CHECK(watch.lock()->sum == 5);
  handler.cancel();
  CHECK(watch.expired());
}

TEST_CASE("a handler does not run after the end of its scoped subscription", "[D6]") {
  consumer events;
  int ran = 0;
  {
    const scoped_subscription scoped = events.handler([&](tick) { ++ran; });
    events.consume(tick{});
  }
  events.consume(tick{});
  CHECK(ran == 1);
}

// --- destroying ----------------------------------------------------------------------------------

TEST_CASE("the captures of a consumer's handlers are destroyed with the consumer", "[D8]") {
  const auto capture = std::make_shared<int>(0);
  subscription handler;
  {
    consumer events;
    handler = events.handler([capture](tick) {});
    events.handler([capture](any_event) {});
    CHECK(capture.use_count() == 3);
  }
  CHECK(capture.use_count() == 1);
  CHECK_FALSE(handler.active());
  handler.cancel();
  CHECK_FALSE(handler.active());
}

TEST_CASE("a consumer may be destroyed by one of its handlers", "[D8]") {
  auto events = std::make_unique<consumer>();
  const auto capture = std::make_shared<int>(0);
  int ran = 0;
  events->handler([&, capture](tick) {
    ++ran;
    events.reset();
    CHECK(capture.use_count() == 3);
  });
  const subscription second = events->handler([&, capture](tick) { ++ran; });
  CHECK(events->consume(tick{}) == 1);
  CHECK(ran == 1);
  CHECK(capture.use_count() == 1);
  CHECK_FALSE(second.active());
}

TEST_CASE("a consumer may be destroyed in nested calls of its handlers", "[D5][D8]") {
  auto events = std::make_unique<consumer>();
  const auto capture = std::make_shared<int>(0);
  events->handler([&, capture](tick event) {
    if (event.depth == 40) {
      events.reset();
    } else {
      CHECK(events->consume(tick{event.depth + 1}) == 1);
    }
    CHECK(capture.use_count() == 2);
  });
  CHECK(events->consume(tick{}) == 1);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a failure reaches the caller of a consumer that its handler has destroyed", "[D2][D8]") {
  auto events = std::make_unique<consumer>();
  events->handler([&](tick) {
    events.reset();
    throw 5;
  });
  CHECK_THROWS_AS(events->consume(tick{}), int);
}

TEST_CASE("the captures of a consumer that another's handler destroys are destroyed at once",
          "[D8]") {
  consumer events;
  auto other = std::make_unique<consumer>();
  const auto capture = std::make_shared<int>(0);
  other->handler([capture](tick) {});
  events.handler([&](tick) { other.reset(); });
  events.consume(tick{});
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a capture's destructor may cancel while its consumer is destroyed", "[D6][D8]") {
  int ended = 0;
  subscription first;
  subscription second;
  {
    consumer events;
    const auto cancel_both = [&] {
      first.cancel();
      second.cancel();
      ++ended;
    };
    first = events.handler([end = at_end(cancel_both)](tick) {});
    second = events.handler([end = at_end(cancel_both)](tick) {});
  }
  CHECK(ended == 2);
}

// --- copies --------------------------------------------------------------------------------------

TEST_CASE("a consumer neither copies nor moves an event", "[D9]") {
  using noted = msgbus_test::counted<struct by_reference>;
  consumer events;
  int sum = 0;
  // given: handlers with every form of first parameter by reference
  events.handler([&](const noted& event) { sum += event.value; });
  events.handler([&](one_of<noted, int>) {});
  events.handler<noted>([&](const auto& event) { sum += event.value; });
  events.handler<noted>([&](auto&& event) { sum += event.value; });
  events.handler([&](any_event event) { sum += event.get_if<noted>()->value; });
  noted event(2);
  // when: an event is consumed in every form
  noted::reset();
  CHECK(events.consume(event) == 5);
  CHECK(events.consume(noted(2)) == 5);
  CHECK(events.consume<noted>(2) == 5);
  CHECK(events.consume(std::variant<int, noted>(std::in_place_index<1>, 2)) == 5);
  CHECK(sum == 4 * 8);
  // then: it was neither copied nor moved
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);
}

TEST_CASE("a handler that takes its event by value costs one copy", "[D9]") {
  using noted = msgbus_test::counted<struct by_value>;
  consumer events;
  events.handler([](noted) {});
  events.handler([](const noted&) {});
  events.handler<noted>([](auto) {});
  const noted event(1);
  noted::reset();
  events.consume(event);
  CHECK(noted::copies == 2);
  CHECK(noted::moves == 0);
}

TEST_CASE("a consumer accepts an event that cannot be copied or moved", "[D9]") {
  struct fixed {
    explicit fixed(int given) : value(given) {}
    fixed(const fixed&) = delete;
    fixed& operator=(const fixed&) = delete;
    int value;
  };
  consumer events;
  int seen = 0;
  events.handler([&](const fixed& event) { seen += event.value; });
  const fixed event(3);
  events.consume(event);
  events.consume<fixed>(4);
  CHECK(seen == 7);
}

TEST_CASE("a handler is moved into its consumer, not copied, and called in place", "[D9]") {
  using noted = msgbus_test::counted<struct handler_state>;
  consumer events;
  const void* first = nullptr;
  const void* second = nullptr;
  noted state;
  auto handler = [&, state](tick event) { (event.depth == 0 ? first : second) = &state; };
  noted::reset();
  events.handler(std::move(handler));
  CHECK(noted::copies == 0);
  const int moves = noted::moves;
  events.consume(tick{0});
  events.consume(tick{1});
  CHECK(noted::copies == 0);
  CHECK(noted::moves == moves);
  CHECK(first == second);
}

}  // namespace consumer_lifetimes_test
