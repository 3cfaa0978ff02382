#include <msgbus/sync/producer.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace producer_test {

namespace {

using msgbus::dispatch_error;
using msgbus::sync::consumer;
using msgbus::sync::producer;
using msgbus_test::caught;

struct tick {
  int depth = 0;
};
struct tock {};

}  // namespace

TEST_CASE("an event goes to the bound consumers in the order of binding", "[D1]") {
  producer source;
  consumer first;
  consumer second;
  std::string ran;
  second.handler([&](tick) { ran += "second "; });
  first.handler([&](tick) { ran += "first "; });
  first.handler([&](tick) { ran += "first again "; });
  source.bind(first, second);
  CHECK(source.dispatch(tick{}) == 3);
  CHECK(ran == "first first again second ");
}

TEST_CASE("a producer without consumers dispatches to none", "[D3]") {
  producer source;
  source.bind();
  CHECK(source.dispatch(tick{}) == 0);
  CHECK(source.unrouted() == 1);
}

TEST_CASE("an event is unrouted for the producer if no consumer handles it", "[D3]") {
  producer source;
  consumer with;
  consumer without;
  source.bind(without, with);
  with.handler([](tick) {});
  CHECK(source.dispatch(tick{}) == 1);
  CHECK(source.unrouted() == 0);
  CHECK(without.unrouted() == 1);
  CHECK(with.unrouted() == 0);
  CHECK(source.dispatch(tock{}) == 0);
  CHECK(source.unrouted() == 1);
  CHECK(without.unrouted() == 2);
  CHECK(with.unrouted() == 1);
}

TEST_CASE("a second binding of a consumer has no effect") {
  producer source;
  consumer events;
  int ran = 0;
  events.handler([&](tick) { ++ran; });
  source.bind(events, events);
  source.bind(events);
  CHECK(source.dispatch(tick{}) == 1);
  source.unbind(events);
  CHECK(source.dispatch(tick{}) == 0);
  CHECK(ran == 1);
}

TEST_CASE("an unbound consumer gets no events, and comes last when it is bound again", "[D1]") {
  producer source;
  consumer first;
  consumer second;
  std::string ran;
  first.handler([&](tick) { ran += "first "; });
  second.handler([&](tick) { ran += "second "; });
  source.bind(first, second);
  source.unbind(first);
  source.unbind(first);
  source.dispatch(tick{});
  CHECK(ran == "second ");
  source.bind(first);
  source.dispatch(tick{});
  CHECK(ran == "second second first ");
}

TEST_CASE("unbinding a consumer that was never bound has no effect") {
  producer source;
  consumer bound;
  consumer stranger;
  bound.handler([](tick) {});
  source.bind(bound);
  source.unbind(stranger);
  CHECK(source.dispatch(tick{}) == 1);
}

TEST_CASE("a consumer may be bound to several producers") {
  producer left;
  producer right;
  consumer events;
  events.handler([](tick) {});
  left.bind(events);
  right.bind(events);
  CHECK(left.dispatch(tick{}) == 1);
  CHECK(right.dispatch(tick{}) == 1);
  left.unbind(events);
  CHECK(left.dispatch(tick{}) == 0);
  CHECK(right.dispatch(tick{}) == 1);
}

TEST_CASE("a producer routes variants and constructs events in place", "[T3][D9]") {
  producer source;
  consumer events;
  int seen = 0;
  events.handler([&](const tick& event) { seen = event.depth; });
  source.bind(events);
  CHECK(source.dispatch(std::variant<tock, tick>(tick{5})) == 1);
  CHECK(seen == 5);
  CHECK(source.dispatch<tick>(6) == 1);
  CHECK(seen == 6);
}

TEST_CASE("a producer neither copies nor moves an event", "[D9]") {
  using noted = msgbus_test::counted<struct dispatched>;
  producer source;
  consumer first;
  consumer second;
  source.bind(first, second);
  first.handler([](const noted&) {});
  second.handler([](const noted&) {});
  second.handler([](msgbus::any_event) {});
  noted event;
  noted::reset();
  CHECK(source.dispatch(event) == 3);
  CHECK(source.dispatch<noted>(1) == 3);
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);
}

// --- isolation -----------------------------------------------------------------------------------

TEST_CASE("every consumer gets the event, even if others throw", "[D2]") {
  producer source;
  consumer first;
  consumer second;
  source.bind(first, second);
  int ran = 0;
  const auto failure = std::make_exception_ptr(std::string("no"));
  first.handler([&](tick) { std::rethrow_exception(failure); });
  second.handler([&](tick) { ++ran; });
  CHECK(msgbus_test::thrown_by([&] { source.dispatch(tick{}); }) == failure);
  CHECK(ran == 1);
}

TEST_CASE("failures of several consumers are thrown as one dispatch_error, in order", "[D2]") {
  producer source;
  consumer first;
  consumer silent;
  consumer second;
  source.bind(first, silent, second);
  std::vector<std::exception_ptr> failures;
  for (int i = 0; i < 4; ++i) failures.push_back(std::make_exception_ptr(i));
  second.handler([&](tick) { std::rethrow_exception(failures[2]); });
  first.handler([&](tick) { std::rethrow_exception(failures[0]); });
  first.handler([&](tick) { std::rethrow_exception(failures[1]); });
  second.handler([&](tick) { std::rethrow_exception(failures[3]); });
  silent.handler([](tick) {});
  const auto e = caught<dispatch_error>([&] { source.dispatch(tick{}); });
  CHECK(e.errors() == failures);
}

TEST_CASE("a dispatch_error of a handler is one failure among the consumers'", "[D2][D5]") {
  producer source;
  consumer first;
  consumer second;
  source.bind(first, second);
  first.handler([](tock) { throw 1; });
  second.handler([](tock) { throw 2; });
  first.handler([&](tick) { source.dispatch(tock{}); });
  second.handler([](tick) { throw 3; });
  const auto e = caught<dispatch_error>([&] { source.dispatch(tick{}); });
  REQUIRE(e.errors().size() == 2);
  CHECK_THROWS_AS(std::rethrow_exception(e.errors()[0]), dispatch_error);
  CHECK_THROWS_AS(std::rethrow_exception(e.errors()[1]), int);
}

// --- changes while dispatching -------------------------------------------------------------------

TEST_CASE("a consumer that is bound during a dispatch first gets the next event", "[D4]") {
  for (int before = 1; before < 5; ++before) {
    producer source;
    std::vector<std::unique_ptr<consumer>> all;
    for (int i = 0; i < before; ++i) {
      all.push_back(std::make_unique<consumer>());
      source.bind(*all.back());
    }
    consumer late;
    int ran = 0;
    late.handler([&](tick) { ++ran; });
    all[0]->handler([&](tick) { source.bind(late); });
    CHECK(source.dispatch(tick{}) == 1);
    CHECK(ran == 0);
    CHECK(source.dispatch(tick{}) == 2);
    CHECK(ran == 1);
  }
}

TEST_CASE("a consumer that is unbound before its turn does not get the event", "[D4]") {
  producer source;
  consumer first;
  consumer second;
  consumer third;
  source.bind(first, second, third);
  std::string ran;
  first.handler([&](tick) { source.unbind(second); });
  second.handler([&](tick) { ran += "second "; });
  third.handler([&](tick) { ran += "third "; });
  CHECK(source.dispatch(tick{}) == 2);
  CHECK(ran == "third ");
}

TEST_CASE("a consumer that unbinds itself finishes its event", "[D4]") {
  producer source;
  consumer events;
  source.bind(events);
  int ran = 0;
  events.handler([&](tick) { source.unbind(events); });
  events.handler([&](tick) { ++ran; });
  CHECK(source.dispatch(tick{}) == 2);
  CHECK(ran == 1);
  CHECK(source.dispatch(tick{}) == 0);
}

TEST_CASE("a handler that is cancelled before its consumer's turn does not run", "[D4]") {
  producer source;
  consumer first;
  consumer second;
  source.bind(first, second);
  int ran = 0;
  auto handler = second.handler([&](tick) { ++ran; });
  first.handler([&](tick) { handler.cancel(); });
  CHECK(source.dispatch(tick{}) == 1);
  CHECK(ran == 0);
}

TEST_CASE("a handler may dispatch with the producer that called it, deeply", "[D5]") {
  producer source;
  consumer events;
  source.bind(events);
  int ran = 0;
  events.handler([&](tick event) {
    ++ran;
    if (event.depth < 100) CHECK(source.dispatch(tick{event.depth + 1}) == 1);
  });
  CHECK(source.dispatch(tick{}) == 1);
  CHECK(ran == 101);
}

// --- destroying ----------------------------------------------------------------------------------

TEST_CASE("a consumer may be destroyed while it is bound", "[D8]") {
  producer source;
  consumer lasting;
  lasting.handler([](tick) {});
  const auto capture = std::make_shared<int>(0);
  {
    consumer passing;
    passing.handler([capture](tick) {});
    source.bind(passing, lasting);
    CHECK(source.dispatch(tick{}) == 2);
  }
  CHECK(capture.use_count() == 1);
  CHECK(source.dispatch(tick{}) == 1);
}

TEST_CASE("a producer may be destroyed before its consumers", "[D8]") {
  consumer events;
  events.handler([](tick) {});
  {
    producer source;
    source.bind(events);
  }
  CHECK(events.consume(tick{}) == 1);
  producer another;
  another.bind(events);
  CHECK(another.dispatch(tick{}) == 1);
}

TEST_CASE("a producer releases a destroyed consumer", "[D8]") {
  producer source;
  const auto overrides = std::make_shared<msgbus::provider>();
  {
    consumer passing(overrides);
    source.bind(passing);
  }
  CHECK(overrides.use_count() == 1);
}

TEST_CASE("a consumer may be destroyed by its handler while it is bound", "[D8]") {
  producer source;
  auto passing = std::make_unique<consumer>();
  consumer lasting;
  source.bind(*passing, lasting);
  const auto capture = std::make_shared<int>(0);
  int ran = 0;
  // given: a bound consumer whose handler destroys it
  passing->handler([&, capture](tick) {
    passing.reset();
    CHECK(capture.use_count() == 3);
  });
  passing->handler([&, capture](tick) { ++ran; });
  lasting.handler([](tick) {});
  // when: an event is dispatched
  CHECK(source.dispatch(tick{}) == 2);
  // then: its later handlers do not run, and the captures are destroyed
  CHECK(ran == 0);
  CHECK(capture.use_count() == 1);
  CHECK(source.dispatch(tick{}) == 1);
}

TEST_CASE("a consumer may be destroyed before its turn", "[D4][D8]") {
  producer source;
  consumer first;
  auto second = std::make_unique<consumer>();
  source.bind(first, *second);
  int ran = 0;
  first.handler([&](tick) { second.reset(); });
  second->handler([&](tick) { ++ran; });
  CHECK(source.dispatch(tick{}) == 1);
  CHECK(ran == 0);
}

TEST_CASE("a producer may be destroyed by a handler that it called", "[D8]") {
  auto source = std::make_unique<producer>();
  consumer first;
  consumer second;
  source->bind(first, second);
  int ran = 0;
  first.handler([&](tick) { source.reset(); });
  first.handler([&](tick) { ++ran; });
  second.handler([](tick) {});
  CHECK(source->dispatch(tick{}) >= 2);
  CHECK(ran == 1);
  CHECK(first.consume(tick{}) == 2);
}

TEST_CASE("a failure reaches the caller of a producer that was destroyed meanwhile", "[D2][D8]") {
  auto source = std::make_unique<producer>();
  consumer events;
  source->bind(events);
  events.handler([&](tick) {
    source.reset();
    throw 5;
  });
  CHECK_THROWS_AS(source->dispatch(tick{}), int);
}

TEST_CASE("destroyed producers and consumers leave no memory behind", "[D8]") {
  producer lasting_source;
  consumer lasting_events;
  lasting_events.handler([](tick) {});
  for (int i = 0; i < 100; ++i) {
    producer source;
    consumer events;
    events.handler([](tick) {});
    source.bind(events, lasting_events);
    lasting_source.bind(events, lasting_events);
    CHECK(source.dispatch(tick{}) == 2);
    CHECK(lasting_source.dispatch(tick{}) == 2);
  }
  CHECK(lasting_source.dispatch(tick{}) == 1);
}

TEST_CASE("a producer keeps no memory for destroyed consumers", "[D8]") {
  auto overrides = std::make_shared<msgbus::provider>();
  msgbus::sync::producer source;
  {
    msgbus::sync::consumer brief(overrides);
    source.bind(brief);
    CHECK(overrides.use_count() == 2);
  }
  CHECK(overrides.use_count() == 1);
}

}  // namespace producer_test
