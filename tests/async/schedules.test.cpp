// Messages that are sent later, once (P6).

#include "async/scheduling.hpp"

#include <msgbus/detail/core/cause.hpp>

namespace schedules_test {

using msgbus::forever;
using msgbus::overflow;
using msgbus::scheduled;
using msgbus::testing::manual_clock;
using msgbus_test::gate;
using msgbus_test::is_conserved;
using msgbus_test::scheduling;
using numbered = msgbus_test::numbered_event;
using times = std::vector<std::chrono::milliseconds>;
using namespace std::chrono_literals;

TEST_CASE("a message that is sent later is handled when its time has come", "[P6]") {
  scheduling t;
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
  scheduling t;
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
  scheduling t;
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
  scheduling t;
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
  scheduling t;
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
  scheduling t;
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
  scheduling t;
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

TEST_CASE("a message that is due waits for space in due order, and is not lost", "[P6][A6]") {
  scheduling t({.capacity = 2});
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
    scheduling t({.capacity = 1, .on_full = each.how});
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

TEST_CASE("the cause of a scheduled message is that of the call", "[P6][B7]") {
  scheduling t;
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

}  // namespace schedules_test
