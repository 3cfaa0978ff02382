// Messages that subscribers, services, producers and publishers send later (P6).

#include "async/scheduling.hpp"

#include <tuple>

namespace schedules_components_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::missed;
using msgbus::scheduled;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_conserved;
using msgbus_test::scheduling;
using numbered = msgbus_test::numbered_event;
using namespace std::chrono_literals;

TEST_CASE("subscribers have messages sent later on their topic", "[P6]") {
  static constexpr msgbus::topic<int> level{"tank.level"};
  stepping_context context;
  manual_clock clock(context);
  subscriber messages(context.get_executor());
  std::vector<std::string> got;
  messages.subscribe("tank.*", [&](int n, const msgbus::context& about) {
    got.push_back(std::string(about.topic()) + " " + std::to_string(n));
  });
  (void)messages.send_after(1s, 1, "tank.one");
  (void)messages.send_at(clock.now() + 2s, 2, level);
  (void)messages.send_after(2s, 3, level);
  scheduled all = messages.every(3s, [] { return 4; }, "tank.two");
  scheduled typed = messages.every(3s, [] { return 5; }, {.missed = missed::catch_up}, level);
  clock.run_for(context, 3s);
  CHECK(all.cancel());
  CHECK(typed.cancel());
  CHECK(got == std::vector<std::string>{"tank.one 1", "tank.level 2", "tank.level 3", "tank.two 4",
                                        "tank.level 5"});
  CHECK(code_of([&] { (void)messages.send_after(1s, 1, "a..b"); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)messages.every(1s, [] { return 1; }, "a.*"); }) ==
        msgbus::errc::invalid_topic);
}

TEST_CASE("services have commands executed later", "[P6]") {
  stepping_context context;
  manual_clock clock(context);
  service commands(context.get_executor());
  std::vector<std::string> got;
  commands.handler("rename",
                   [&](int id, std::string name) { got.push_back(name + std::to_string(id)); });
  commands.handler("clean", [&] { got.push_back("clean"); });
  commands.handler("check", [&](int id) { got.push_back("check" + std::to_string(id)); });
  (void)commands.send_after(1s, "rename", 1, "a");
  (void)commands.send_at(clock.now() + 2s, "rename", 2, "b");
  scheduled cleaning = commands.every(3s, "clean");
  scheduled checking = commands.every(3s, "check", [] { return 3; }, {.missed = missed::catch_up});
  scheduled naming = commands.every(3s, "rename", [] { return std::tuple(4, std::string("c")); });
  scheduled lost = commands.send_after(1h, "clean");
  clock.run_for(context, 3s);
  CHECK(got == std::vector<std::string>{"a1", "b2", "clean", "check3", "c4"});
  CHECK(clock.run(context, commands.drain(1s)).abandoned == 1);
  CHECK(lost.done());
  CHECK(cleaning.done());
  CHECK(checking.done());
  CHECK(naming.done());
  CHECK(is_conserved(commands.stats()));
}

TEST_CASE("a producer has a message sent later by each consumer that is bound", "[P6]") {
  scheduling t;
  t.handle();
  consumer second(t.context.get_executor());
  int other = 0;
  second.handler([&](const numbered& each) { other += each.n; });
  producer source;
  SECTION("none: it is unrouted") {
    CHECK(source.send_after(1s, numbered{1}).done());
    CHECK(source.unrouted() == 1);
  }
  SECTION("one") {
    source.bind(*t.events);
    scheduled one = source.send_after(1s, numbered{1});
    scheduled two = source.send_at(t.begun + 2s, numbered{2});
    CHECK(two.cancel());
    t.pass(1min);
    CHECK(t.got == std::vector{1});
    CHECK_FALSE(one.cancel());
  }
  SECTION("several, of which each counts its own") {
    source.bind(*t.events, second);
    scheduled one = source.send_after<numbered>(1s, 1);
    scheduled two = source.send_after(2s, numbered{2});
    scheduled three = source.send_after(1h, numbered{4});
    CHECK(two.cancel());
    CHECK(two.done());
    CHECK_FALSE(two.cancel());
    t.pass(1min);
    CHECK(t.got == std::vector{1});
    CHECK(other == 1);
    CHECK(one.done());
    CHECK_FALSE(one.cancel());
    CHECK(t.clock.run(t.context, second.drain(1s)) == drain_report{.abandoned = 1});
    CHECK_FALSE(three.done());
    t.pass(1h);
    CHECK(t.got == std::vector{1, 4});
    CHECK(other == 1);
    CHECK(three.done());
  }
  SECTION("and the message does not need the producer any more") {
    {
      producer gone;
      gone.bind(*t.events, second);
      (void)gone.send_after(1s, numbered{1});
    }
    t.pass(1s);
    CHECK(t.got == std::vector{1});
    CHECK(other == 1);
  }
  SECTION("a closed one rejects it") {
    source.bind(*t.events, second);
    second.close();
    scheduled one = source.send_after(1s, numbered{1});
    CHECK(second.stats().rejected == 1);
    CHECK(one.cancel());
    CHECK(t.events->stats().offered == 0);
  }
  SECTION("and none is in time when all have given it up") {
    source.bind(*t.events, second);
    scheduled one = source.send_after(1s, numbered{1});
    t.events->close();
    second.close();
    CHECK(one.done());
    CHECK_FALSE(one.cancel());
    CHECK(second.stats().abandoned == 1);
  }
}

TEST_CASE("a message in several schedules is cancelled in all or in none", "[P6]") {
  stepping_context fast, slow;
  manual_clock fast_clock(fast), slow_clock(slow);
  consumer one(fast.get_executor()), two(slow.get_executor());
  int ran = 0;
  for (auto* each : {&one, &two}) each->handler([&](const numbered&) { ++ran; });
  producer source;
  source.bind(one, two);
  scheduled message = source.send_after(1s, numbered{1});
  fast_clock.run_for(fast, 1s);
  CHECK(ran == 1);
  CHECK_FALSE(message.cancel());
  CHECK_FALSE(message.done());
  slow_clock.run_for(slow, 1s);
  CHECK(ran == 2);
  CHECK(message.done());
}

TEST_CASE("a producer's recurring schedule goes to all that are bound then", "[P6]") {
  scheduling t;
  t.handle();
  consumer second(t.context.get_executor());
  int other = 0;
  second.handler([&](const numbered&) { ++other; });
  std::optional<producer> source(std::in_place);
  CHECK(code_of([&] { (void)source->every(1s, [] { return numbered{}; }); }) ==
        msgbus::errc::unsupported);
  source->bind(*t.events);
  int made = 0;
  scheduled all = source->every(1s, [&] { return numbered{++made}; });
  t.pass(1s);
  CHECK(t.got == std::vector{1});
  source->bind(second);
  t.pass(1s);
  CHECK(other == 1);
  SECTION("goes over to another consumer when the first one ends") {
    const bool drains = GENERATE(false, true);
    if (drains) {
      t.clock.run(t.context, t.events->drain(1s, {.wait_for_scheduled = true}));
    } else {
      t.events.reset();
    }
    t.pass(2s);
    CHECK(other == 3);
    CHECK_FALSE(all.done());
    second.close();
    CHECK(all.done());
    CHECK_FALSE(all.cancel());
  }
  SECTION("ends by its handle") {
    CHECK(all.cancel());
    CHECK_FALSE(all.cancel());
    t.pass(1min);
    CHECK(made == 2);
  }
  SECTION("ends with its producer") {
    source.reset();
    CHECK(all.done());
    CHECK(t.clock.waiting() == 0);
    t.pass(1min);
    CHECK(made == 2);
  }
}

TEST_CASE("a producer's recurring schedule waits for full mailboxes, and holds nobody up", "[P6]") {
  scheduling t;
  t.handle();
  consumer full(t.context.get_executor(), {.capacity = 1});
  gate open;
  full.handler([open](const numbered&) -> awaitable<void> { co_await open.wait(); });
  producer source;
  source.bind(*t.events, full);
  int made = 0;
  scheduled all = source.every(1s, [&] { return numbered{++made}; });
  (void)t.events->send_after(7s, numbered{-1});
  t.pass(10s);
  CHECK(t.got == std::vector{1, 2, 3, -1});
  open.open();
  t.pass(1s);
  CHECK(made == 4);
  CHECK(full.stats().handled == 4);
  CHECK(all.cancel());
}

TEST_CASE(
    "an event that a producer's recurring schedule could not make is reported to its observer",
    "[A8]") {
  scheduling t;
  t.handle();
  producer source;
  const probe watching;
  source.bind(*t.events);
  int calls = 0;
  scheduled all = source.every(1s, [&] {
    if (++calls == 1) throw std::runtime_error("no data");
    return numbered{calls};
  });
  CHECK_THAT(msgbus_test::stderr_of([&] { t.pass(1s); }), msgbus_test::contains("no data"));
  source.observe(watching);
  t.pass(1s);
  CHECK(t.got == std::vector{2});
  calls = 0;
  t.pass(1s);
  CHECK(watching.count(seen::failed) == 1);
  CHECK(all.cancel());
}

TEST_CASE("publishers have messages sent later to the subscribers that are bound", "[P6]") {
  static constexpr msgbus::topic<int> level{"tank.level"};
  stepping_context context;
  manual_clock clock(context);
  subscriber one(context.get_executor()), two(context.get_executor());
  int sum = 0;
  for (auto* each : {&one, &two}) each->subscribe("tank.>", [&](int n) { sum += n; });
  publisher news;
  news.bind(one, two);
  (void)news.send_after(1s, 1, "tank.a");
  (void)news.send_at(clock.now() + 1s, 10, level);
  scheduled all = news.every(1s, [] { return 100; }, level);
  scheduled more = news.every(1s, [] { return 1000; }, {.missed = missed::catch_up}, "tank.b");
  clock.run_for(context, 1s);
  CHECK(sum == 2222);
  CHECK(all.cancel());
  CHECK(more.cancel());
  CHECK(code_of([&] { (void)news.send_after(1s, 1, "tank.*"); }) == msgbus::errc::invalid_topic);
}

}  // namespace schedules_components_test
