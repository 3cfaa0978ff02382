// Every message is counted once, whatever becomes of it (A7).

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/faults.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace counters_test {

using asio::awaitable;
using msgbus::overflow;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::testing::faults;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::hop;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

}  // namespace

TEST_CASE("messages of awaited verbs are counted as sent ones are", "[A7]") {
  stepping_context context;
  consumer events(context.get_executor());
  events.observe(std::make_shared<msgbus::observer>());
  const auto failing = faults::every(2);
  events.handler(failing.wrap([](const numbered&) -> awaitable<void> { co_await hop(); }));
  for (int i = 0; i < 4; ++i) {
    try {
      context.run(events.consume(numbered{i}));
    } catch (const msgbus::testing::injected_fault&) {
    }
    (void)events.post(numbered{i});
    context.run();
  }
  (void)context.run(events.consume(0.5));
  (void)events.post(0.5);
  context.run();
  const auto stats = events.stats();
  CHECK(stats.offered == 10);
  CHECK(stats.handled == 6);
  CHECK(stats.failed == 4);
  CHECK(stats.unrouted == 2);
  CHECK(is_conserved(stats));
}

TEST_CASE("a message counts once, as failed if any of its handlers failed", "[A7]") {
  stepping_context context;
  consumer events(context.get_executor());
  events.observe(std::make_shared<msgbus::observer>());
  events.handler([](const numbered&) {});
  events.handler([](const numbered&) { throw 1; });
  events.handler([](const numbered&) -> awaitable<void> {
    co_await hop();
    throw 2;
  });
  (void)events.post(numbered{1});
  context.run();
  CHECK(events.stats().failed == 1);
  CHECK(events.stats().handled == 0);
  CHECK(is_conserved(events.stats()));
}

TEST_CASE("nothing is lost and nothing counted twice by a shutdown at any moment", "[A7][A10]") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int below) {
      return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    stepping_context context(shuffled{seed});
    manual_clock clock(context);
    const probe watching;
    const overflow how = static_cast<overflow>(pick(4));
    auto events = std::make_unique<consumer>(
        context.get_executor(),
        msgbus::mailbox_options{.capacity = static_cast<std::size_t>(1 + pick(4)),
                                .on_full = how,
                                .concurrency = static_cast<std::size_t>(1 + pick(2))});
    events->observe(watching);
    producer source;
    source.bind(*events);
    int begun = 0, ended = 0;
    events->handler([&](const numbered& each) -> awaitable<void> {
      ++begun;
      const std::shared_ptr<void> end(nullptr, [&](void*) { ++ended; });
      if (each.n % 3) co_await msgbus::exec::sleep(std::chrono::milliseconds(each.n % 7));
      if (each.n % 5 == 0) throw std::runtime_error("five");
    });
    std::vector<spawned<msgbus::receipt>> sent;
    std::vector<spawned<std::size_t>> consumed;
    std::uint64_t offered = 0;
    std::vector<spawned<msgbus::drain_report>> drained;
    for (int i = 0; i < 40; ++i) {
      ++offered;
      switch (pick(6)) {
        case 0: (void)events->post(numbered{i}); break;
        case 1: sent.push_back(context.spawn(events->send<numbered>(i))); break;
        case 2: sent.push_back(context.spawn(source.send<numbered>(i))); break;
        case 3: consumed.push_back(context.spawn(events->consume<numbered>(i))); break;
        case 4: consumed.push_back(context.spawn(source.dispatch<numbered>(i))); break;
        default:
          --offered;
          if (pick(3) == 0) clock.advance(std::chrono::milliseconds(pick(4)));
          if (!sent.empty() && pick(2)) sent[random() % sent.size()].cancel();
          if (!consumed.empty() && pick(2)) consumed[random() % consumed.size()].cancel();
      }
      for (int steps = pick(8); steps != 0 && context.step(); --steps) {
      }
      if (i == 20 + pick(20)) {
        drained.push_back(context.spawn(events->drain(std::chrono::milliseconds(pick(10)))));
      }
    }
    if (pick(2)) {
      drained.push_back(context.spawn(events->drain(std::chrono::milliseconds(pick(10)))));
    }
    clock.run_for(context, 10s);
    CHECK(begun == ended);
    const auto stats = events->stats();
    CHECK(is_conserved(stats));
    // A cancelled send was not offered; everything else was.
    std::uint64_t taken_back = 0;
    for (auto& each : sent) {
      REQUIRE(each.done());
      if (each.failure()) ++taken_back;
    }
    for (auto& each : consumed) {
      REQUIRE(each.done());
      if (msgbus_test::is_aborted(each.failure())) ++taken_back;
    }
    CHECK(stats.offered <= offered);
    CHECK(stats.offered + taken_back >= offered);
    for (auto& each : drained) {
      REQUIRE(each.done());
      (void)each.get();
    }
    CHECK(watching.count(seen::accepted) == stats.accepted);
    CHECK(watching.count(seen::abandoned) == stats.abandoned);
    CHECK(watching.count(seen::dropped) == stats.dropped);
  }
}

TEST_CASE("an observer gets each message that a component refuses", "[A7][A8]") {
  std::optional<stepping_context> context(std::in_place);
  stepping_context elsewhere;
  const probe watching;
  const auto told = std::make_shared<msgbus::counting_observer>();
  consumer events(context->get_executor(), {.capacity = 1});
  msgbus::async::subscriber news(context->get_executor(), {.on_full = overflow::reject});
  msgbus::async::service commands(context->get_executor());
  producer source;
  source.bind(events);
  events.observe(watching);
  news.observe(watching);
  commands.observe(told);
  events.handler([](const numbered&) {});
  auto command = commands.handler("number", [](int n) { return n; });

  SECTION("a full mailbox") {
    (void)events.post(numbered{1});
    CHECK(events.post(numbered{2}) == msgbus::receipt{.rejected = 1});
    CHECK(source.post(numbered{3}) == msgbus::receipt{.rejected = 1});
    const auto all = watching.sightings();
    CHECK(std::count_if(all.begin(), all.end(), [](const auto& each) {
            return each.what == seen::rejected &&
                   each.message.find("numbered") != std::string::npos;
          }) == 2);
  }
  SECTION("a component that is closed, and every verb") {
    events.close();
    news.close();
    commands.close();
    CHECK(events.post(numbered{1}) == msgbus::receipt{.rejected = 1});
    CHECK(context->run(events.send(numbered{2})) == msgbus::receipt{.rejected = 1});
    CHECK_THROWS(context->run(events.consume(numbered{3})));
    CHECK(source.post(numbered{4}) == msgbus::receipt{.rejected = 1});
    CHECK_THROWS(context->run(source.dispatch(numbered{5})));
    CHECK_THROWS(elsewhere.run(source.dispatch(numbered{6})));
    CHECK(news.post(1, "a") == msgbus::receipt{.rejected = 1});
    CHECK(watching.sightings().back().topic == "a");
    CHECK(commands.post("number", 1) == msgbus::receipt{.rejected = 1});
    CHECK_THROWS(context->run(command(1)));
  }
  SECTION("a component whose context has gone") {
    context.reset();
    CHECK(events.post(numbered{1}) == msgbus::receipt{.rejected = 1});
    CHECK_THROWS(elsewhere.run(events.consume(numbered{2})));
    CHECK_THROWS(elsewhere.run(source.dispatch(numbered{3})));
    CHECK_THROWS(elsewhere.run(command(1)));
  }
  if (context) context->run();
  CHECK(events.stats().rejected >= 2);
  CHECK(watching.count(seen::rejected) == events.stats().rejected + news.stats().rejected);
  CHECK(told->rejected() == commands.stats().rejected);
  CHECK(is_conserved(events.stats()));
}

TEST_CASE("an observer gets the messages that a mailbox accepts, drops and abandons", "[A7][A8]") {
  stepping_context context;
  const probe watching;
  consumer events(context.get_executor(), {.capacity = 1, .on_full = overflow::drop_oldest});
  events.observe(watching);
  events.handler([](const numbered&) {});
  for (int i = 0; i < 3; ++i) (void)events.post(numbered{i});
  context.run();
  (void)events.post(0.5);
  context.run();
  CHECK(watching.count(seen::accepted) == 4);
  CHECK(watching.count(seen::dropped) == 2);
  CHECK(watching.count(seen::delivered) == 1);
  CHECK(watching.count(seen::unrouted) == 1);
}

}  // namespace counters_test
