// The steps that each component reports to its observer.

#include <msgbus/sync/producer.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>

#include <msgbus/counters.hpp>

#include "support/catch.hpp"
#include "support/recorder.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <vector>

namespace observing_test {

namespace {

using msgbus::sync::consumer;
using msgbus::sync::producer;
using msgbus::sync::publisher;
using msgbus::sync::service;
using msgbus::sync::subscriber;
using msgbus_test::recorder;

using steps = std::vector<std::string>;

int plain_value() { return 1; }
void failing_clean_up(msgbus::yield<int> yield) {
  yield(1);
  throw std::runtime_error("clean-up");
}

}  // namespace

TEST_CASE("a consumer's observer gets each event and each handler's outcome", "[D2]") {
  consumer events;
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  events.handler([](int) {});
  events.handler([](msgbus::any_event) {});
  events.handler([](int) { throw std::runtime_error("no"); });
  CHECK_THROWS(events.consume(5));
  CHECK(observer->steps ==
        steps{"accepted int", "delivered int", "failed int: no", "delivered int"});
}

TEST_CASE("a consumer's observer gets an event without a handler", "[D3]") {
  consumer events;
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  CHECK(events.consume(5) == 0);
  CHECK(observer->steps == steps{"accepted int", "unrouted int"});
}

TEST_CASE("an observer gets no step of a handler that was cancelled before its turn", "[D4]") {
  consumer events;
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  msgbus::subscription second;
  events.handler([&](int) { second.cancel(); });
  second = events.handler([](int) {});
  CHECK(events.consume(5) == 1);
  CHECK(observer->steps == steps{"accepted int", "delivered int"});
}

TEST_CASE("a consumer behaves the same with and without an observer", "[D1][D2][D3]") {
  for (const bool watched : {false, true}) {
    consumer events;
    if (watched) events.observe(std::make_shared<msgbus::observer>());
    std::string ran;
    events.handler([&](msgbus::any_event) { ran += "any "; });
    events.handler([&](int) { ran += "first "; });
    events.handler([&](int) { ran += "second "; });
    CHECK(events.consume(5) == 3);
    CHECK(ran == "first second any ");
    CHECK(events.consume(5.0) == 1);
    CHECK(events.unrouted() == 0);
  }
}

TEST_CASE("an observer gets the failures of the handler and of its clean-up separately", "[I3]") {
  consumer events;
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  events.handler([](int, msgbus::depends<failing_clean_up>) {});
  CHECK_THROWS_AS(events.consume(5), std::runtime_error);
  CHECK(observer->steps == steps{"accepted int", "failed int: clean-up"});
}

TEST_CASE("a new observer replaces the previous one, which is released") {
  consumer events;
  // given: a consumer with an observer
  events.handler([](int) {});
  auto first = std::make_shared<msgbus::counting_observer>();
  const std::weak_ptr<msgbus::observer> watch = first;
  events.observe(first);
  events.consume(1);
  CHECK(first->delivered() == 1);
  // when: another observer replaces it
  const auto second = std::make_shared<msgbus::counting_observer>();
  events.observe(second);
  events.consume(1);
  // then: only the new one gets steps, and the previous one is released
  CHECK(first->delivered() == 1);
  CHECK(second->delivered() == 1);
  first.reset();
  CHECK(watch.expired());
  // when: the observer is detached
  events.observe(nullptr);
  CHECK(second.use_count() == 1);
  events.consume(1);
  CHECK(second->delivered() == 1);
}

TEST_CASE("an observer that a handler replaces lives until the dispatch has ended", "[D6]") {
  consumer events;
  auto first = std::make_shared<recorder>();
  const std::weak_ptr<recorder> watch = first;
  const auto second = std::make_shared<recorder>();
  events.observe(std::move(first));
  events.handler([&](int) {
    events.observe(second);
    CHECK_FALSE(watch.expired());
  });
  events.consume(1);
  CHECK(watch.expired());
  events.observe(nullptr);
  CHECK(second->steps.empty());
}

TEST_CASE("an observer is released with its component", "[D8]") {
  const auto observer = std::make_shared<recorder>();
  {
    consumer events;
    events.observe(observer);
    CHECK(observer.use_count() == 2);
  }
  CHECK(observer.use_count() == 1);
}

TEST_CASE("a subscriber's observer gets each message with its topic", "[D2]") {
  subscriber messages;
  const auto observer = std::make_shared<recorder>();
  messages.observe(observer);
  messages.subscribe("a.*", [](int) {});
  messages.subscribe("a.b", [](int) { throw std::runtime_error("no"); });
  messages.subscribe("a.b", [](const std::string&) {});
  CHECK_THROWS(messages.receive(5, "a.b"));
  CHECK(observer->steps ==
        steps{"accepted int on a.b", "delivered int on a.b", "failed int on a.b: no"});
}

TEST_CASE("a subscriber's observer gets a message without a handler, or without one for its type",
          "[D3][T6]") {
  subscriber messages;
  const auto observer = std::make_shared<recorder>();
  messages.observe(observer);
  CHECK(messages.receive(5, "a") == 0);
  messages.subscribe("a", [](const std::string&) {});
  CHECK(msgbus_test::code_of([&] { messages.receive(5, "a"); }) == msgbus::errc::type_mismatch);
  CHECK(observer->steps ==
        steps{"accepted int on a", "unrouted int on a", "accepted int on a", "unrouted int on a"});
}

TEST_CASE("an observer gets no step of a message with an invalid topic", "[T7]") {
  const auto observer = std::make_shared<recorder>();
  subscriber messages;
  messages.observe(observer);
  messages.subscribe(">", [](int) {});
  publisher source;
  source.observe(observer);
  CHECK_THROWS_AS(source.publish(5, "a.*"), msgbus::error);
  source.bind(messages);
  CHECK_THROWS_AS(messages.receive(5, "a.*"), msgbus::error);
  CHECK_THROWS_AS(source.publish(5, "a.*"), msgbus::error);
  CHECK(observer->steps.empty());
}

TEST_CASE("a producer's observer gets each event, and those that no consumer handles", "[D3]") {
  producer source;
  consumer events;
  source.bind(events);
  const auto observer = std::make_shared<recorder>();
  const auto inner = std::make_shared<recorder>();
  source.observe(observer);
  events.observe(inner);
  events.handler([](int) {});
  CHECK(source.dispatch(5) == 1);
  CHECK(source.dispatch(5.0) == 0);
  CHECK(observer->steps == steps{"accepted int", "accepted double", "unrouted double"});
  CHECK(inner->steps ==
        steps{"accepted int", "delivered int", "accepted double", "unrouted double"});
  source.observe(nullptr);
  CHECK(observer.use_count() == 1);
}

TEST_CASE("a publisher's observer gets each message, and those that no subscriber handles",
          "[D3]") {
  publisher source;
  subscriber messages;
  source.bind(messages);
  const auto observer = std::make_shared<recorder>();
  source.observe(observer);
  messages.subscribe("a", [](int) {});
  CHECK(source.publish(5, "a") == 1);
  CHECK(source.publish(5, "b") == 0);
  CHECK_THROWS_AS(source.publish("x", "a"), msgbus::error);
  REQUIRE(observer->steps.size() == 5);
  CHECK(observer->steps[0] == "accepted int on a");
  CHECK(observer->steps[1] == "accepted int on b");
  CHECK(observer->steps[2] == "unrouted int on b");
  CHECK_THAT(observer->steps[4], msgbus_test::contains("unrouted char"));
}

TEST_CASE("a service's observer gets each operation by its name, for both forms of the call",
          "[D3]") {
  service commands;
  const auto observer = std::make_shared<recorder>();
  commands.observe(observer);
  auto update = commands.handler("update", [](int value, msgbus::depends<plain_value> one) {
    if (value > 1) throw std::runtime_error("no");
    return value + *one;
  });
  CHECK(update(1) == 2);
  CHECK(commands.execute<int>("update", 1) == 2);
  CHECK_THROWS(update(2));
  CHECK_THROWS(commands.execute("update", 2));
  CHECK_THROWS_AS(commands.execute("updat", 2), msgbus::error);
  CHECK(observer->steps == steps{"accepted update", "delivered update", "accepted update",
                                 "delivered update", "accepted update", "failed update: no",
                                 "accepted update", "failed update: no", "unrouted updat"});
}

TEST_CASE("one counting observer may observe several components") {
  const auto counting = std::make_shared<msgbus::counting_observer>();
  consumer events;
  subscriber messages;
  service commands;
  // given: one observer of three components
  events.observe(counting);
  messages.observe(counting);
  commands.observe(counting);
  events.handler([](int) {});
  messages.subscribe("a", [](int) { throw 1; });
  commands.handler("update", [] {});
  // when: each component handles messages
  events.consume(1);
  events.consume(2.0);
  CHECK_THROWS(messages.receive(1, "a"));
  commands.execute("update");
  // then: the observer counts the steps of all
  CHECK(counting->accepted() == 4);
  CHECK(counting->delivered() == 2);
  CHECK(counting->failed() == 1);
  CHECK(counting->unrouted() == 1);
  CHECK(counting->dropped() == 0);
}

}  // namespace observing_test
