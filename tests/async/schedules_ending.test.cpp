// What becomes of messages that are to be sent later when their component, or its context, ends.

#include "async/scheduling.hpp"

namespace schedules_ending_test {

using msgbus::drain_report;
using msgbus::scheduled;
using msgbus::async::consumer;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using msgbus_test::scheduling;
using numbered = msgbus_test::numbered_event;
using namespace std::chrono_literals;

TEST_CASE("a drain reports messages that are not yet due as abandoned", "[P6][A10]") {
  scheduling t;
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

TEST_CASE("messages that a drain has reported are not printed again on stderr", "[A10]") {
  const std::string text = msgbus_test::stderr_of([] {
    scheduling t;
    t.events->observe(nullptr);
    (void)t.events->send_after(1h, numbered{2});
    CHECK(t.clock.run(t.context, t.events->drain(5s)) == drain_report{.abandoned = 1});
  });
  CHECK(text.empty());
}

TEST_CASE("a drain that waits for scheduled messages takes them, and no others", "[P6][A10]") {
  scheduling t;
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
  scheduling t({.capacity = 1});
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
  scheduling t;
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

TEST_CASE("closing abandons messages that are not due, and messages that wait for space",
          "[P6][A10]") {
  scheduling t({.capacity = 1});
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

TEST_CASE("a closed component rejects messages that are to be sent later", "[A10]") {
  scheduling t;
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
  scheduling t;
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

}  // namespace schedules_ending_test
