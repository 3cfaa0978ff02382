// Messages that are sent later: once, or again and again (P6).

#include <msgbus/async.hpp>

#include <msgbus/detail/core/cause.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/stderr_of.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace schedules_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::forever;
using msgbus::missed;
using msgbus::overflow;
using msgbus::scheduled;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

struct fresh {
  stepping_context context;
  manual_clock clock{context};
  std::vector<int> got;
  std::vector<std::chrono::milliseconds> at;  // since the beginning
  manual_clock::time_point begun = clock.now();
  probe watching;
  std::optional<consumer> events;

  explicit fresh(msgbus::mailbox_options options = {}) {
    events.emplace(context.get_executor(), options);
    events->observe(watching);
  }
  void handle() {
    events->handler([this](const numbered& each) { note(each); });
  }
  /// Handlers wait for the gate.
  void handle(const gate& open) {
    events->handler([this, open](const numbered& each) -> awaitable<void> {
      co_await open.wait();
      note(each);
    });
  }
  void note(const numbered& each) {
    got.push_back(each.n);
    at.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - begun));
  }
  void pass(manual_clock::duration time) { clock.run_for(context, time); }
};

using times = std::vector<std::chrono::milliseconds>;

}  // namespace

TEST_CASE("a message that is sent later is handled when its time has come", "[P6]") {
  fresh t;
  t.handle();
  const scheduled one = t.events->send_after(5s, numbered{1});
  const scheduled two = t.events->send_at(t.begun + 7s, numbered{2});
  const scheduled three = t.events->send_after<numbered>(6s, 3);
  CHECK(t.events->due_later() == 3);
  t.context.run();
  t.pass(5s - 1ns);
  CHECK(t.got.empty());
  CHECK_FALSE(one.done());
  t.pass(1ns);
  CHECK(t.got == std::vector{1});
  CHECK(one.done());
  CHECK_FALSE(two.done());
  t.pass(1h);
  CHECK(t.got == std::vector{1, 3, 2});
  CHECK(t.at == times{5s, 6s, 7s});
  const auto stats = t.events->stats();
  CHECK(stats.scheduled == 3);
  CHECK(stats.offered == 3);
  CHECK(stats.handled == 3);
  CHECK(t.events->due_later() == 0);
  CHECK(t.clock.waiting() == 0);
  CHECK(three.done());
}

TEST_CASE("messages that are due together keep the order of the calls", "[P6]") {
  fresh t;
  t.handle();
  const auto due = t.begun + 1s;
  (void)t.events->send_at(due, numbered{1});
  (void)t.events->send_at(due + 1ns, numbered{4});
  (void)t.events->send_after(1s, numbered{2});
  (void)t.events->send_at(due, numbered{3});
  t.clock.advance(1h);
  t.context.run();
  CHECK(t.got == std::vector{1, 2, 3, 4});
}

TEST_CASE("a message that is due about now, or was due long ago, is sent once", "[P6]") {
  fresh t;
  t.handle();
  (void)t.events->send_after(0s, numbered{2});
  (void)t.events->send_at(t.begun, numbered{3});
  (void)t.events->send_after(-1h, numbered{1});
  (void)t.events->send_at(manual_clock::time_point::min(), numbered{0});
  CHECK(t.got.empty());  // never inside the call
  t.context.run();
  CHECK(t.got == std::vector{0, 1, 2, 3});
  t.pass(24h);
  CHECK(t.got.size() == 4);
  CHECK(t.events->stats().handled == 4);
}

TEST_CASE("delays saturate, and a time that never comes holds nothing up", "[P6]") {
  fresh t;
  t.handle();
  scheduled one = t.events->send_after(forever, numbered{1});
  scheduled two = t.events->send_at(manual_clock::time_point::max(), numbered{2});
  scheduled three = t.events->every(forever, [] { return numbered{3}; });
  CHECK(t.clock.until_next() == std::nullopt);
  t.pass(24h * 365 * 100);
  CHECK(t.got.empty());
  CHECK(one.cancel());
  CHECK(two.cancel());
  CHECK(three.cancel());
  CHECK(t.events->due_later() == 0);
}

TEST_CASE("a cancelled message is never sent, destroyed at once, and counts nowhere", "[P6]") {
  fresh t;
  t.events->handler([](const std::shared_ptr<int>&) { FAIL("it was cancelled"); });
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> there = held;
  scheduled one = t.events->send_after(1s, std::move(held));
  scheduled same = one;
  CHECK_FALSE(there.expired());
  CHECK(one.cancel());
  CHECK(there.expired());
  CHECK(one.done());
  CHECK_FALSE(one.cancel());
  CHECK_FALSE(same.cancel());
  CHECK(t.clock.waiting() == 0);  // the context has no work for it any more
  t.pass(1h);
  const auto stats = t.events->stats();
  CHECK(stats.scheduled == 1);
  CHECK(stats.offered == 0);
  CHECK(t.watching.sightings().empty());
}

TEST_CASE("to cancel a message that was due is too late", "[P6]") {
  fresh t;
  t.handle();
  scheduled one = t.events->send_after(1s, numbered{1});
  t.clock.advance(1s);
  CHECK(one.cancel());  // its time has come, but it is still there
  t.context.run();
  CHECK(t.got.empty());
  scheduled two = t.events->send_after(1s, numbered{2});
  t.pass(1s);
  CHECK_FALSE(two.cancel());
  CHECK(t.got == std::vector{2});
}

TEST_CASE("a handler cancels and schedules, its own message too", "[P6]") {
  fresh t;
  scheduled self, other, again;
  t.events->handler([&](const numbered& each) {
    t.note(each);
    if (each.n != 1) return;
    CHECK_FALSE(self.cancel());
    CHECK(other.cancel());
    again = t.events->send_after(2s, numbered{3});
  });
  self = t.events->send_after(1s, numbered{1});
  other = t.events->send_after(1s + 1ms, numbered{2});
  t.pass(1min);
  CHECK(t.got == std::vector{1, 3});
  CHECK(t.at == times{1s, 3s});
  CHECK(again.done());
}

TEST_CASE("a recurring schedule sends at each multiple of its period, until it is cancelled",
          "[P6]") {
  fresh t;
  t.handle();
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; });
  t.pass(3s);
  CHECK(t.got == std::vector{1, 2, 3});
  CHECK(t.at == times{1s, 2s, 3s});
  CHECK_FALSE(all.done());
  CHECK(t.events->due_later() == 0);
  CHECK(all.cancel());
  CHECK(all.done());
  CHECK_FALSE(all.cancel());
  t.pass(1h);
  CHECK(made == 3);
  CHECK(t.events->stats().scheduled == 3);
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a recurring schedule is cancelled from its handler and while it makes an event",
          "[P6]") {
  fresh t;
  scheduled by_handler, by_make;
  t.events->handler([&](const numbered& each) {
    t.note(each);
    if (each.n == 1) CHECK(by_handler.cancel());
  });
  by_handler = t.events->every(1s, [] { return numbered{1}; });
  by_make = t.events->every(1s, [&] {
    CHECK(by_make.cancel());
    return numbered{2};
  });
  t.pass(1h);
  CHECK(t.got == std::vector{1, 2});  // an event that was made is sent
}

TEST_CASE("when time jumps, late occurrences are skipped or caught up, as asked", "[P6]") {
  const missed how = GENERATE(missed::skip, missed::catch_up);
  fresh t;
  t.handle();
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; }, {.missed = how});
  t.pass(1s);
  t.clock.advance(5s + 500ms);  // five are late
  t.context.run();
  CHECK(made == (how == missed::skip ? 2 : 6));
  t.pass(500ms);
  CHECK(t.at.back() == 7s);  // it has not drifted
  CHECK(made == (how == missed::skip ? 3 : 7));
  CHECK(t.got.size() == static_cast<std::size_t>(made));
  CHECK(all.cancel());
}

TEST_CASE("equal times of recurring and of single messages keep the order of the calls", "[P6]") {
  fresh t;
  t.handle();
  scheduled first = t.events->every(1s, [] { return numbered{1}; });
  (void)t.events->send_after(3s, numbered{2});
  scheduled third = t.events->every(3s, [] { return numbered{3}; });
  t.pass(3s);
  CHECK(t.got == std::vector{1, 1, 1, 2, 3});
  CHECK(first.cancel());
  CHECK(third.cancel());
}

TEST_CASE("an event that could not be made is a failed one, and the schedule goes on", "[P6][P2]") {
  fresh t;
  t.handle();
  int calls = 0;
  const auto make = [&] {
    if (++calls == 2) throw std::runtime_error("no data");
    return numbered{calls};
  };
  scheduled all = t.events->every(1s, make);
  t.pass(3s);
  CHECK(t.got == std::vector{1, 3});
  CHECK(t.events->stats().failed == 1);
  CHECK(t.events->stats().scheduled == 2);
  CHECK(is_conserved(t.events->stats()));
  REQUIRE(t.watching.failures().size() == 1);
  CHECK(msgbus::describe(t.watching.failures()[0]) == "no data");
  CHECK(all.cancel());
}

TEST_CASE("without an observer, an event that could not be made is one line on stderr", "[A8]") {
  fresh t;
  t.events->observe(nullptr);
  scheduled all = t.events->every(1s, []() -> numbered { throw std::runtime_error("no data"); });
  const std::string text = msgbus_test::stderr_of([&] { t.pass(1s); });
  CHECK_THAT(text, msgbus_test::contains("every() could not make"));
  CHECK_THAT(text, msgbus_test::contains("numbered"));
  CHECK_THAT(text, msgbus_test::contains("no data"));
  CHECK(all.cancel());
}

TEST_CASE("a period that is not above zero is an error that names it", "[P6]") {
  fresh t;
  for (const auto period : {0s, -1s}) {
    const auto call = [&] { (void)t.events->every(period, [] { return numbered{}; }); };
    CHECK(code_of(call) == msgbus::errc::bad_arguments);
  }
  CHECK(t.clock.waiting() == 0);
}

// --- a full mailbox ---------------------------------------------------------------------------

TEST_CASE("a message that is due waits for space in due order, and is not lost", "[P6][A6]") {
  fresh t({.capacity = 2});
  const gate open;
  t.handle(open);
  for (int i = 0; i < 200; ++i) (void)t.events->send_after(1s * i, numbered{i});
  t.clock.advance(1h);
  t.context.run();
  CHECK(t.events->waiting() == 2);
  CHECK(t.events->due_later() == 197);
  const_cast<gate&>(open).open();
  t.context.run();
  REQUIRE(t.got.size() == 200);
  for (int i = 0; i < 200; ++i) CHECK(t.got[static_cast<std::size_t>(i)] == i);
  CHECK(is_conserved(t.events->stats()));
  CHECK(t.events->due_later() == 0);
}

TEST_CASE("a message that is due is offered as the overflow policy says", "[P6][A6]") {
  struct row {
    overflow how;
    std::uint64_t rejected, dropped;
    std::vector<int> got;
  };
  for (const row& each :
       {row{overflow::reject, 2, 0, {0, 1}}, row{overflow::drop_newest, 0, 2, {0, 1}},
        row{overflow::drop_oldest, 0, 2, {0, 3}}}) {
    CAPTURE(each.how);
    fresh t({.capacity = 1, .on_full = each.how});
    gate open;
    t.handle(open);
    for (int i = 0; i < 4; ++i) (void)t.events->send_after(1s + 1ms * i, numbered{i});
    t.pass(1min);
    open.open();
    t.context.run();
    CHECK(t.got == each.got);
    CHECK(t.events->stats().rejected == each.rejected);
    CHECK(t.events->stats().dropped == each.dropped);
    CHECK(t.events->stats().scheduled == 4);
    CHECK(is_conserved(t.events->stats()));
  }
}

TEST_CASE("occurrences that come while one waits for space are skipped or caught up", "[P6]") {
  const missed how = GENERATE(missed::skip, missed::catch_up);
  fresh t({.capacity = 1});
  gate open;
  t.handle(open);
  int made = 0;
  scheduled all = t.events->every(1s, [&] { return numbered{++made}; }, {.missed = how});
  t.pass(10s + 500ms);
  CHECK(made == 3);  // one is handled, one is in the mailbox, one waits
  CHECK(t.events->due_later() == 1);
  open.open();
  t.context.run();
  CHECK(made == (how == missed::skip ? 3 : 10));
  t.pass(500ms);
  CHECK(made == (how == missed::skip ? 4 : 11));
  CHECK(all.cancel());
  CHECK(t.got.size() == static_cast<std::size_t>(made));
}

// --- the end ----------------------------------------------------------------------------------

TEST_CASE("a drain reports what was not yet due as abandoned", "[P6][A10]") {
  fresh t;
  scheduled one = t.events->send_after(1h, numbered{2});
  scheduled all = t.events->every(1h, [] { return numbered{3}; });
  int told = 0;
  t.events->on_abandoned<numbered>([&](const numbered& each) { told = each.n; });
  CHECK(t.clock.run(t.context, t.events->drain(5s)) == drain_report{.abandoned = 1});
  CHECK(t.clock.now() == t.begun);
  CHECK(told == 2);
  CHECK(one.done());
  CHECK(all.done());
  CHECK_FALSE(one.cancel());
  CHECK_FALSE(all.cancel());
  CHECK(t.watching.count(seen::abandoned) == 1);
  CHECK(is_conserved(t.events->stats()));
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("what a drain has reported is not told again on stderr", "[A10]") {
  const std::string text = msgbus_test::stderr_of([] {
    fresh t;
    t.events->observe(nullptr);
    (void)t.events->send_after(1h, numbered{2});
    CHECK(t.clock.run(t.context, t.events->drain(5s)) == drain_report{.abandoned = 1});
  });
  CHECK(text.empty());
}

TEST_CASE("a drain that waits for scheduled messages takes them, and no others", "[P6][A10]") {
  fresh t;
  t.handle();
  (void)t.events->send_after(1s, numbered{1});
  (void)t.events->send_after(3s, numbered{2});
  scheduled late = t.events->send_after(20s, numbered{4});
  scheduled all = t.events->every(1s, [] { return numbered{3}; });
  auto drained = t.context.spawn(t.events->drain(10s, {.wait_for_scheduled = true}));
  t.context.run();
  CHECK(all.done());
  CHECK(t.events->post(numbered{5}).rejected == 1);
  CHECK(t.context.run(t.events->send(numbered{6})).rejected == 1);
  CHECK(code_of([&] { t.context.run(t.events->consume(numbered{7})); }) == msgbus::errc::closed);
  CHECK(t.events->send_after(1s, numbered{8}).done());
  t.pass(5s);
  CHECK_FALSE(drained.done());
  CHECK(t.got == std::vector{1, 2});
  SECTION("until none is left") {
    CHECK(late.cancel());
    t.context.run();
    CHECK(drained.get() == drain_report{.handled = 2});
    CHECK(t.clock.now() == t.begun + 5s);
  }
  SECTION("or until its grace begins") {
    t.pass(10s);
    CHECK(drained.get() == drain_report{.handled = 2, .abandoned = 1});
    CHECK(late.done());
  }
  SECTION("or until the component is closed") {
    t.events->close();
    t.context.run();
    CHECK(drained.get() == drain_report{.handled = 2, .abandoned = 1});
  }
  CHECK(t.events->stats().rejected == 4);
  CHECK(is_conserved(t.events->stats()));
  CHECK(t.events->post(numbered{9}).rejected == 1);
}

TEST_CASE("a drain that waits for scheduled messages waits while they wait for space",
          "[P6][A10]") {
  fresh t({.capacity = 1});
  gate open;
  t.handle(open);
  (void)t.events->post(numbered{1});
  t.context.run();
  (void)t.events->post(numbered{2});
  auto sent = t.context.spawn(t.events->send(numbered{3}));
  t.context.run();
  for (int i = 4; i < 7; ++i) (void)t.events->send_after(1s, numbered{i});
  t.pass(1s);
  auto drained = t.context.spawn(t.events->drain(1h, {.wait_for_scheduled = true}));
  t.context.run();
  CHECK(sent.get().rejected == 1);  // a sender that waits is refused, as by any drain
  CHECK_FALSE(drained.done());
  open.open();
  t.context.run();
  CHECK(t.got == std::vector{1, 2, 4, 5, 6});
  CHECK(drained.get() == drain_report{.handled = 5});
  CHECK(is_conserved(t.events->stats()));
}

TEST_CASE("a cancelled drain leaves scheduled messages to be sent", "[P6][A10]") {
  fresh t;
  t.handle();
  (void)t.events->send_after(1s, numbered{1});
  auto drained = t.context.spawn(t.events->drain(1h, {.wait_for_scheduled = true}));
  t.context.run();
  drained.cancel();
  t.context.run();
  CHECK(is_aborted(drained.failure()));
  t.pass(1s);
  CHECK(t.got == std::vector{1});
  CHECK(t.clock.run(t.context, t.events->drain(1h)) == drain_report{});
}

TEST_CASE("closing gives up what is not due, and what waits for space", "[P6][A10]") {
  fresh t({.capacity = 1});
  gate open;
  t.handle(open);
  for (int i = 1; i < 5; ++i) (void)t.events->send_after(1s, numbered{i});
  scheduled late = t.events->send_after(1h, numbered{5});
  t.pass(1s);
  CHECK(t.events->due_later() == 3);
  t.events->close();
  CHECK(late.done());
  open.open();
  t.context.run();
  CHECK(t.got == std::vector{1, 2});
  CHECK(t.events->stats().abandoned == 3);
  CHECK(t.events->due_later() == 0);
  CHECK(is_conserved(t.events->stats()));
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a closed component rejects what is to be sent later", "[A10]") {
  fresh t;
  t.events->close();
  scheduled one = t.events->send_after(1s, numbered{1});
  scheduled all = t.events->every(1s, [] { return numbered{2}; });
  CHECK(one.done());
  CHECK_FALSE(one.cancel());
  CHECK(all.done());
  CHECK(t.events->stats().rejected == 2);
  CHECK(t.events->stats().scheduled == 0);
  CHECK(t.watching.count(seen::rejected) == 2);
}

TEST_CASE("the end of a component gives its scheduled messages up, and handles outlive it",
          "[P6][A10][D8]") {
  fresh t;
  scheduled one = t.events->send_after(1s, numbered{1});
  scheduled all = t.events->every(1s, [] { return numbered{2}; });
  t.events.reset();
  CHECK(t.watching.count(seen::abandoned) == 1);
  CHECK(one.done());
  CHECK_FALSE(one.cancel());
  CHECK_FALSE(all.cancel());
  t.pass(1h);
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("the end of the context gives scheduled messages up, and handles outlive it", "[A12]") {
  std::optional<stepping_context> context(std::in_place);
  const probe watching;
  consumer events(context->get_executor());
  events.observe(watching);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> there = held;
  scheduled one = events.send_after(1h, std::move(held));
  scheduled all = events.every(1h, [] { return numbered{2}; });
  context.reset();
  CHECK(there.expired());
  CHECK(one.done());
  CHECK(all.done());
  CHECK(watching.count(seen::abandoned) == 1);
  CHECK(events.send_after(1s, numbered{3}).done());
  CHECK(is_conserved(events.stats()));
}

// --- the cause --------------------------------------------------------------------------------

TEST_CASE("the cause of a scheduled message is that of the call", "[P6][B7]") {
  fresh t;
  using msgbus::detail::shared_origin;
  const shared_origin cause = std::make_shared<const msgbus::origin>(
      msgbus::origin{.message_id = "m-1", .correlation_id = "c-1"});
  std::vector<std::string> causes;
  t.events->handler([&](const numbered&, const msgbus::context& about) {
    causes.push_back(std::string(about.causation_id()));
  });
  scheduled all;
  {
    const msgbus::detail::cause_scope scope(&cause);
    (void)t.events->send_after(1s, numbered{1});
    all = t.events->every(2s, [] { return numbered{2}; });
  }
  (void)t.events->send_after(3s, numbered{3});
  t.pass(4s);
  CHECK(all.cancel());
  CHECK(causes == std::vector<std::string>{"m-1", "m-1", "", "m-1"});
}

// --- the other components ---------------------------------------------------------------------

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
  fresh t;
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
  fresh t;
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
  fresh t;
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

TEST_CASE("what a producer's recurring schedule could not make is told to its observer", "[A8]") {
  fresh t;
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

// --- everything at any moment -----------------------------------------------------------------

TEST_CASE("every scheduled message has one outcome, whatever happens when", "[P2][P6][A7]") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto pick = [&](int below) {
      return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    stepping_context context(shuffled{seed});
    manual_clock clock(context);
    auto events = std::make_unique<consumer>(
        context.get_executor(),
        msgbus::mailbox_options{.capacity = static_cast<std::size_t>(1 + pick(3)),
                                .on_full = static_cast<overflow>(pick(4)),
                                .concurrency = static_cast<std::size_t>(1 + pick(2))});
    events->observe(std::make_shared<msgbus::observer>());
    std::vector<manual_clock::time_point> due(1000);
    std::vector<int> state(1000);  // 1: sent later, 2: cancelled in time, 3: handled
    events->handler([&](const numbered& each) -> awaitable<void> {
      if (each.n >= 0) {
        const auto n = static_cast<std::size_t>(each.n);
        CHECK(state[n] == 1);
        CHECK(clock.now() >= due[n]);
        state[n] = 3;
      }
      if (pick(2) == 0) co_await msgbus::exec::sleep(1ms * pick(20));
    });
    std::vector<scheduled> handles;
    std::uint64_t cancelled = 0;
    std::optional<spawned<drain_report>> drained;
    for (int step = 0; step < 60; ++step) {
      switch (pick(8)) {
        case 0:
        case 1:
        case 2: {
          const std::size_t n = handles.size();
          due[n] = clock.now() + 1ms * pick(30);
          state[n] = 1;
          handles.push_back(events->send_at(due[n], numbered{static_cast<int>(n)}));
          break;
        }
        case 3: {
          if (handles.empty()) break;
          const auto n = static_cast<std::size_t>(pick(static_cast<int>(handles.size())));
          if (!handles[n].cancel()) break;
          CHECK(state[n] == 1);
          state[n] = 2;
          ++cancelled;
          break;
        }
        case 4:
          (void)events->every(1ms * (1 + pick(20)), [] { return numbered{-1}; },
                              {.missed = static_cast<missed>(pick(2))});
          break;
        case 5: (void)events->post(numbered{-2}); break;
        case 6: clock.advance(1ms * pick(40)); break;
        default:
          for (int i = pick(30); i > 0; --i) (void)context.step();
      }
    }
    const int end = pick(5);
    if (end == 0) {
      events->close();
    } else if (end == 4) {
      drained.emplace(context.spawn(events->drain({.wait_for_scheduled = pick(2) == 1})));
    } else if (end < 3) {
      drained.emplace(
          context.spawn(events->drain(1ms * pick(100), {.wait_for_scheduled = end == 2})));
    }
    if (end == 3) {
      events.reset();
      clock.run_for(context, 1s);
      continue;
    }
    clock.run_for(context, 1s);
    if (drained) CHECK(drained->done());
    const auto stats = events->stats();
    CHECK(is_conserved(stats));
    CHECK(events->due_later() == 0);
    CHECK(stats.scheduled >= cancelled);
    for (const scheduled& each : handles) CHECK(each.done());
    CHECK(clock.waiting() == 0);
  }
}

namespace {

struct scheduling {
  explicit scheduling(stepping_context& in)
      : clock(in),
        events(in.get_executor(), {.capacity = 1}),
        other(in.get_executor(), {.capacity = 1}) {
    for (auto* each : {&events, &other}) {
      each->observe(std::make_shared<msgbus::observer>());
      each->handler(
          [](const std::shared_ptr<int>&) -> awaitable<void> { co_await msgbus_test::hop(); });
    }
    source.bind(events, other);
    const auto made = std::make_shared<int>(1);
    there = made;
    for (int i = 0; i < 4; ++i) {
      (void)events.send_after(1s, made);
      (void)source.send_after(1s, made);
    }
    kept.push_back(events.every(1s, [made] { return made; }, {.missed = missed::catch_up}));
    kept.push_back(source.every(1s, [made] { return made; }));
    drained.emplace(in.spawn(events.drain(3s, {.wait_for_scheduled = true})));
  }
  bool when_idle() { return ++idle < 5 && clock.advance_to_next(); }

  int idle = 0;
  manual_clock clock;
  consumer events, other;
  producer source;
  std::weak_ptr<int> there;
  std::vector<scheduled> kept;
  std::optional<spawned<drain_report>> drained;
};

}  // namespace

TEST_CASE("schedules are torn down at any step, and leave nothing", "[A12]") {
  for (const auto& shuffle : {std::optional<shuffled>(), std::optional(shuffled{1})}) {
    std::weak_ptr<int> there;
    const auto report = msgbus::testing::cut_off_at_every_step(
        [&](stepping_context& context) {
          CHECK(there.expired());
          auto made = std::make_unique<scheduling>(context);
          there = made->there;
          return made;
        },
        {.shuffle = shuffle});
    CHECK(report.steps > 20);
    CHECK(there.expired());
  }
}

}  // namespace schedules_test
