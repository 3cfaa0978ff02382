// Components that are destroyed while others use them (D8), and operations that come and go.

#include <msgbus/sync.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

namespace lifetimes_test {

namespace bus = msgbus::sync;
using msgbus_test::event;
using msgbus_test::expect;
using msgbus_test::rounds;
using msgbus_test::thread_group;

namespace {

struct ping {
  int number;
};

}  // namespace

TEST_CASE("consumers come and go while a producer dispatches to them", "[D8][D7]") {
  bus::producer producer;
  bus::consumer lasting;
  std::atomic<long> handled{0};
  lasting.handler([&](const ping&) { ++handled; });
  producer.bind(lasting);
  thread_group dispatching;
  for (int i = 0; i < 3; ++i) {
    dispatching.repeat([&] { expect(producer.dispatch(ping{1}) >= 1, "the lasting one ran"); });
  }
  for (int round = 0; round < rounds(300); ++round) {
    auto pointed = std::make_unique<std::atomic<int>>(0);
    bus::consumer brief;
    brief.handler([&](const ping&) { ++*pointed; });
    producer.bind(brief);
    if (round % 8 == 0) dispatching.wait_for_turns(2);
    if (round % 3 == 0) producer.unbind(brief);
    // `brief` goes before `pointed`: its destructor is what keeps the handler from using it.
  }
  dispatching.stop();
  CHECK(handled > 0);
}

TEST_CASE("producers come and go while their consumer is used by others", "[D8]") {
  bus::consumer consumer;
  std::atomic<long> handled{0};
  consumer.handler([&](const ping&) { ++handled; });
  thread_group all;
  for (int i = 0; i < 3; ++i) {
    all.repeat([&] {
      bus::producer producer;
      producer.bind(consumer);
      expect(producer.dispatch(ping{1}) == 1, "a bound consumer gets the event once");
      producer.unbind(consumer);
      expect(producer.dispatch(ping{1}) == 0, "an unbound consumer gets nothing");
      producer.bind(consumer);
    });
  }
  all.wait_for_turns(rounds(300));
  all.stop();
  CHECK(handled >= 300);
}

TEST_CASE("subscribers come and go while a publisher publishes to them", "[D8][D7]") {
  bus::publisher publisher;
  bus::subscriber lasting;
  std::atomic<long> handled{0};
  lasting.subscribe("a.*", [&](const ping&) { ++handled; });
  publisher.bind(lasting);
  thread_group dispatching;
  for (int i = 0; i < 2; ++i) {
    dispatching.repeat([&] { expect(publisher.publish(ping{1}, "a.b") >= 1, "one ran"); });
  }
  for (int round = 0; round < rounds(300); ++round) {
    auto pointed = std::make_unique<std::atomic<int>>(0);
    bus::subscriber brief;
    brief.subscribe({"a.b", "a.>"}, [&](const ping&) { ++*pointed; });
    publisher.bind(brief);
    if (round % 8 == 0) dispatching.wait_for_turns(2);
  }
  dispatching.stop();
  CHECK(handled > 0);
}

TEST_CASE("a consumer destroyed by its own handler, with others dispatching to it", "[D8][D5]") {
  for (int round = 0; round < rounds(100); ++round) {
    bus::producer producer;
    auto capture = std::make_shared<int>(1);
    auto consumer = std::make_unique<bus::consumer>();
    std::atomic<bool> destroyed{false};
    consumer->handler([&, capture](const ping&) {
      if (!destroyed.exchange(true)) consumer.reset();
    });
    producer.bind(*consumer);
    {
      thread_group dispatching;
      for (int i = 0; i < 2; ++i) dispatching.repeat([&] { producer.dispatch(ping{1}); });
      dispatching.wait_for_turns(10);
      dispatching.stop();
    }
    CHECK_FALSE(consumer);
    CHECK(capture.use_count() == 1);
    CHECK(producer.dispatch(ping{1}) == 0);
  }
}

TEST_CASE(
    "the destructor of a bound consumer waits for its handlers, not for the producer's others",
    "[D8]") {
  bus::producer producer;
  bus::consumer busy;
  event running;
  event may_end;
  busy.handler([&](const ping&) {
    running.set();
    may_end.wait();
  });
  producer.bind(busy);
  auto brief = std::make_unique<bus::consumer>();
  std::atomic<int> reached{0};
  brief->handler([&](const ping&) { ++reached; });
  producer.bind(*brief);
  auto dispatch = std::async(std::launch::async, [&] { return producer.dispatch(ping{1}); });
  running.wait();
  brief.reset();  // would hang
  may_end.set();
  CHECK(dispatch.get() == 1);
  CHECK(reached == 0);
}

TEST_CASE("operations are replaced while others execute them", "[D4][D6][D7]") {
  bus::service service;
  thread_group executing;
  std::atomic<long> executed{0};
  std::atomic<long> missing{0};
  for (int i = 0; i < 3; ++i) {
    executing.repeat([&] {
      try {
        expect(service.execute<int>("double", 21) == 42, "an operation gives its result");
        ++executed;
      } catch (const msgbus::error& e) {
        expect(e.code() == msgbus::errc::no_handler, "else it is not there");
        ++missing;
      }
    });
  }
  for (int round = 0; round < rounds(300); ++round) {
    auto factor = std::make_unique<int>(2);
    auto doubled = service.handler("double", [f = factor.get()](int n) { return *f * n; });
    CHECK(doubled(4) == 8);
    if (round % 8 == 0) executing.wait_for_turns(2);
    doubled.cancel();
    *factor = 0;
    factor.reset();
    CHECK_THROWS_AS(doubled(4), msgbus::error);
  }
  executing.wait_for_turns(4);  // the first of each of three threads may have begun before
  executing.stop();
  CHECK(executed > 0);
  CHECK(missing > 0);
}

TEST_CASE("an operation outlives its service, and says so, also while it is being called", "[D8]") {
  for (int round = 0; round < rounds(100); ++round) {
    auto factor = std::make_unique<int>(2);
    auto service = std::make_unique<bus::service>();
    auto doubled = service->handler("double", [f = factor.get()](int n) { return *f * n; });
    thread_group calling;
    for (int i = 0; i < 2; ++i) {
      calling.repeat([&] {
        try {
          expect(doubled(21) == 42, "an operation gives its result");
        } catch (const msgbus::error& e) {
          expect(e.code() == msgbus::errc::no_handler, "or says that its service is gone");
        }
      });
    }
    calling.wait_for_turns(4);
    service.reset();
    *factor = 0;
    factor.reset();
    calling.wait_for_turns(2);
    calling.stop();
    CHECK_FALSE(doubled.active());
  }
}

TEST_CASE("a replaced observer is not called any more", "[D6]") {
  bus::consumer consumer;
  consumer.handler([](const ping&) {});
  thread_group dispatching;
  for (int i = 0; i < 3; ++i) dispatching.repeat([&] { consumer.consume(ping{1}); });
  for (int round = 0; round < rounds(200); ++round) {
    auto counting = std::make_shared<msgbus::counting_observer>();
    const std::weak_ptr<msgbus::counting_observer> watched = counting;
    consumer.observe(std::move(counting));
    if (round % 8 == 0) dispatching.wait_for_turns(2);
    consumer.observe(nullptr);
    REQUIRE(watched.expired());
  }
  dispatching.stop();
}

}  // namespace lifetimes_test
