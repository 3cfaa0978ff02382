// Closing, draining and destroying, in every state.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace shutdown_test {

using asio::awaitable;
using msgbus::drain_report;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;
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
  gate open;
  std::vector<int> got;
  std::unique_ptr<consumer> events;

  explicit fresh(msgbus::mailbox_options options = {})
      : events(std::make_unique<consumer>(context.get_executor(), options)) {
    events->handler([this](const numbered& each) -> awaitable<void> {
      co_await open.wait();
      got.push_back(each.n);
    });
  }
};

}  // namespace

TEST_CASE("a closed component refuses every verb, and handles what it had accepted", "[A10]") {
  fresh t;
  (void)t.events->post(numbered{1});
  (void)t.events->post(numbered{2});
  t.context.run();
  t.events->close();
  t.events->close();
  CHECK(t.events->post(numbered{3}) == receipt{.rejected = 1});
  CHECK(t.context.run(t.events->send(numbered{4})) == receipt{.rejected = 1});
  CHECK(code_of([&] { t.context.run(t.events->consume(numbered{5})); }) == msgbus::errc::closed);
  t.open.open();
  t.context.run();
  CHECK(t.got == std::vector{1, 2});
  CHECK(t.events->stats().rejected == 3);
  CHECK(is_conserved(t.events->stats()));
}

TEST_CASE("closing wakes every sender that waits, rejected, and ends streams after the last event",
          "[A10]") {
  fresh t({.capacity = 1});
  auto stream = t.events->stream_of<numbered>();
  (void)t.events->post(numbered{1});
  t.context.run();
  (void)t.events->post(numbered{2});
  auto third = t.context.spawn(t.events->send(numbered{3}));
  auto fourth = t.context.spawn(t.events->send(numbered{4}));
  std::vector<int> streamed;
  auto take = [&]() -> awaitable<void> {
    while (const std::optional<numbered> each = co_await stream.next()) {
      streamed.push_back(each->n);
    }
  };
  auto taking = t.context.spawn(take());
  t.context.run();
  CHECK_FALSE(third.done());
  t.events->close();
  t.context.run();
  CHECK(third.get() == receipt{.rejected = 1});
  CHECK(fourth.get() == receipt{.rejected = 1});
  CHECK_FALSE(taking.done());
  t.open.open();
  t.context.run();
  CHECK(taking.done());
  CHECK(streamed == std::vector{1, 2});
}

TEST_CASE("a drain finishes what was accepted, and reports on it", "[A10]") {
  fresh t;
  t.open.open();
  for (int i = 0; i < 3; ++i) (void)t.events->post(numbered{i});
  t.context.run();
  t.events->handler([](const numbered& each) -> awaitable<void> {
    co_await hop();
    if (each.n == 12) throw std::runtime_error("no");
  });
  t.events->observe(std::make_shared<msgbus::observer>());
  for (int i = 10; i < 15; ++i) (void)t.events->post(numbered{i});
  CHECK(t.clock.run(t.context, t.events->drain(1s)) == drain_report{.handled = 4, .failed = 1});
  CHECK(t.events->post(numbered{1}).rejected == 1);
  CHECK(t.clock.run(t.context, t.events->drain(1s)) == drain_report{});
  t.context.run();
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("an idle component is drained at once, without a wait for the deadline", "[A10]") {
  fresh t;
  const auto before = t.clock.now();
  CHECK(t.clock.run(t.context, t.events->drain(1h)) == drain_report{});
  CHECK(t.clock.now() == before);
}

TEST_CASE("before its deadline a drain cancels what runs and discards what waits", "[A10]") {
  fresh t;
  const probe watching;
  t.events->observe(watching);
  for (int i = 0; i < 5; ++i) (void)t.events->post(numbered{i});
  t.context.run();
  const auto before = t.clock.now();
  CHECK(t.clock.run(t.context, t.events->drain(30ms)) == drain_report{.abandoned = 5});
  CHECK(t.clock.now() - before == 27ms);  // the last tenth is for those that say good-bye
  CHECK(watching.count(seen::abandoned) == 5);
  CHECK(t.events->stats().abandoned == 5);
  CHECK(is_conserved(t.events->stats()));
  t.open.open();
  t.context.run();
  CHECK(t.got.empty());
}

TEST_CASE("a handler that ignores cancellation does not keep a drain for ever", "[A10]") {
  fresh t;
  t.events->handler([&](const numbered&) -> awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await msgbus::exec::sleep(1min);
    t.got.push_back(-1);
  });
  t.open.open();
  (void)t.events->post(numbered{0});
  (void)t.events->post(numbered{1});
  t.context.run();
  const auto before = t.clock.now();
  CHECK(t.clock.run(t.context, t.events->drain(30ms)) == drain_report{.abandoned = 2});
  CHECK(t.clock.now() - before == 30ms);
  CHECK(is_conserved(t.events->stats()));
  // It ends later, and is not counted twice.
  t.clock.run_for(t.context, 2min);
  CHECK(t.got == std::vector{0, -1});
  CHECK(t.events->stats().abandoned == 2);
  CHECK(is_conserved(t.events->stats()));
}

namespace {

/// A handler that is cancelled and needs so long to end.
auto slow_to_end(std::chrono::milliseconds takes) {
  return [takes](const numbered&) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
      co_await msgbus::exec::sleep(1h);
    } catch (const asio::system_error&) {
    }
    co_await msgbus::exec::sleep(takes);
    throw std::runtime_error("ended after its good-bye");
  };
}

}  // namespace

TEST_CASE("handlers that are cancelled by a drain have its grace to end in", "[A10]") {
  struct row {
    std::chrono::milliseconds deadline;
    msgbus::drain_options how;
    std::chrono::milliseconds takes;
    std::chrono::milliseconds whole;  // of the drain
  };
  static constexpr row rows[] = {{300ms, {}, 10ms, 280ms},  // a tenth
                                 {300ms, {}, 50ms, 300ms},
                                 {60s, {}, 900ms, 59'900ms},  // one second at most
                                 {60s, {}, 2s, 60s},
                                 {300ms, {.grace = 100ms}, 50ms, 250ms},
                                 {300ms, {.grace = 0ms}, 1ms, 300ms},
                                 {300ms, {.grace = -1s}, 1ms, 300ms},
                                 {300ms, {.grace = 1h}, 50ms, 50ms},
                                 {-1s, {}, 50ms, 0ms},
                                 {0ms, {.grace = 1s}, 50ms, 0ms}};
  const row& each = rows[GENERATE(range(0, 10))];
  CAPTURE(each.deadline.count(), each.takes.count());
  stepping_context context;
  manual_clock clock(context);
  consumer events(context.get_executor());
  events.observe(std::make_shared<msgbus::observer>());
  events.handler(slow_to_end(each.takes));
  (void)events.post(numbered{1});
  context.run();
  const auto before = clock.now();
  CHECK(clock.run(context, events.drain(each.deadline, each.how)) == drain_report{.abandoned = 1});
  CHECK(clock.now() - before == each.whole);
  CHECK(events.stats().abandoned == 1);
  CHECK(is_conserved(events.stats()));
  clock.run_for(context, 1min);
  CHECK(events.stats().abandoned == 1);
  CHECK(is_conserved(events.stats()));
}

TEST_CASE("components that share one deadline are drained when it comes", "[A10]") {
  stepping_context context;
  manual_clock clock(context);
  consumer first(context.get_executor());
  consumer second(context.get_executor());
  msgbus::async::service third(context.get_executor());
  const auto ignores = [](const numbered&) -> awaitable<void> {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await msgbus::exec::sleep(1h);
  };
  for (consumer* const each : {&first, &second}) {
    each->handler(ignores);
    (void)each->post(numbered{1});
  }
  third.handler("update", [&]() { return ignores(numbered{}); });
  (void)third.post("update");
  context.run();
  const auto begun = clock.now();
  const auto until = begun + 1500ms;
  const auto stop = [&]() -> awaitable<std::uint64_t> {
    std::uint64_t abandoned = 0;
    abandoned += (co_await first.drain(until - clock.now())).abandoned;
    abandoned += (co_await second.drain(until - clock.now())).abandoned;
    abandoned += (co_await third.drain(until - clock.now())).abandoned;
    co_return abandoned;
  };
  CHECK(clock.run(context, stop()) == 3);
  CHECK(clock.now() - begun == 1500ms);
  CHECK(is_conserved(first.stats()));
  CHECK(is_conserved(second.stats()));
  CHECK(is_conserved(third.stats()));
}

TEST_CASE("an executor that has stopped keeps a drain no longer than any other", "[A10][A7][A12]") {
  stepping_context here;
  manual_clock clock(here);
  std::optional<stepping_context> stopped(std::in_place);  // one that nobody runs any more
  consumer events(stopped->get_executor(), {.capacity = 2});
  const probe watching;
  events.observe(watching);
  gate never;
  events.handler([&](int) -> awaitable<void> { co_await never.wait(); });
  (void)events.post(1);
  stopped->run();
  CHECK(never.came() == 1);
  (void)events.post(2);
  (void)events.post(3);
  auto sent = here.spawn(events.send(4));
  auto consumed = here.spawn(events.consume(5));
  here.run();
  CHECK_FALSE(sent.done());
  CHECK(clock.run(here, events.drain(5s)) == msgbus::drain_report{.abandoned = 3});
  CHECK(sent.get() == msgbus::receipt{.rejected = 1});
  CHECK_FALSE(consumed.done());
  const msgbus::counters drained = events.stats();
  CHECK(drained.abandoned == 3);
  CHECK(is_conserved(drained));
  stopped.reset();
  here.run();
  CHECK(is_aborted(consumed.failure()));
  CHECK(events.stats().abandoned == 3);
  CHECK(is_conserved(events.stats()));
  CHECK(watching.count(seen::abandoned) == 3);
}

TEST_CASE("awaited verbs are drained too, and count as abandoned if they outlast it", "[A10]") {
  fresh t;
  auto running = t.context.spawn(t.events->consume(numbered{1}));
  t.context.run();
  CHECK(t.clock.run(t.context, t.events->drain(30ms)) == drain_report{.abandoned = 1});
  CHECK_FALSE(running.done());
  t.open.open();
  t.context.run();
  CHECK(running.get() == 1);
  CHECK(t.events->stats().abandoned == 1);
  CHECK(is_conserved(t.events->stats()));
}

TEST_CASE("while draining, what handlers send to other components is still taken", "[A10]") {
  fresh t;
  consumer other(t.context.get_executor());
  int got = 0;
  other.handler([&](double) { ++got; });
  t.events->handler([&](const numbered&) -> awaitable<void> {
    co_await hop();
    (void)co_await other.send(0.5);
  });
  t.open.open();
  for (int i = 0; i < 3; ++i) (void)t.events->post(numbered{i});
  CHECK(t.clock.run(t.context, t.events->drain(1s)) == drain_report{.handled = 3});
  CHECK(t.clock.run(t.context, other.drain(1s)).abandoned == 0);
  CHECK(got == 3);
}

TEST_CASE("a drain that is cancelled leaves the component closed and at work", "[A10][A9]") {
  fresh t;
  (void)t.events->post(numbered{1});
  auto drained = t.context.spawn(t.events->drain(1h));
  t.context.run();
  drained.cancel();
  t.context.run();
  CHECK(is_aborted(drained.failure()));
  CHECK(t.events->post(numbered{2}).rejected == 1);
  t.open.open();
  t.context.run();
  CHECK(t.got == std::vector{1});
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("several drains at once all report", "[A10]") {
  fresh t;
  (void)t.events->post(numbered{1});
  auto first = t.context.spawn(t.events->drain(1s));
  auto second = t.context.spawn(t.events->drain(2s));
  t.context.run();
  t.open.open();
  t.context.run();
  CHECK(first.get() == drain_report{.handled = 1});
  CHECK(second.get() == drain_report{.handled = 1});
}

TEST_CASE("a destroyed component abandons what waits, counted and told, and ends what waits for it",
          "[A10][D8]") {
  for (const bool running : {false, true}) {
    fresh t({.capacity = 3});
    const probe watching;
    t.events->observe(watching);
    auto stream = t.events->stream_of<numbered>();
    for (int i = 0; i < 3; ++i) (void)t.events->post(numbered{i});
    if (running) t.context.run();
    while (t.events->post(numbered{3}).admitted) {
    }
    auto sent = t.context.spawn(t.events->send(numbered{4}));
    auto next = t.context.spawn(stream.next());
    auto drained = t.context.spawn(t.events->drain(1h));
    if (running) t.context.run();
    const auto accepted = watching.count(seen::abandoned) + t.events->stats().accepted;
    t.events.reset();
    t.context.run();
    if (!sent.failure()) CHECK(sent.get() == receipt{.rejected = 1});
    CHECK_FALSE(next.get());
    (void)drained.get();
    CHECK(watching.count(seen::abandoned) == accepted);
    CHECK(t.clock.waiting() == 0);
  }
}

TEST_CASE("a subscriber and a service close and drain as a consumer does", "[A10]") {
  fresh t;
  msgbus::async::subscriber messages(t.context.get_executor());
  msgbus::async::service commands(t.context.get_executor());
  messages.subscribe("a", [](int) -> awaitable<void> { co_await hop(); });
  auto update = commands.handler("update", [&](int) { return t.open.wait(); });
  (void)messages.post(1, "a");
  auto running = t.context.spawn(update(1));
  CHECK(t.clock.run(t.context, messages.drain(1s)) == drain_report{.handled = 1});
  CHECK(t.clock.run(t.context, commands.drain(1s)) == drain_report{.abandoned = 1});
  CHECK(code_of([&] { t.context.run(messages.receive(1, "a")); }) == msgbus::errc::closed);
  CHECK(code_of([&] { t.context.run(update(1)); }) == msgbus::errc::closed);
  t.open.open();
  t.context.run();
  running.get();
}

TEST_CASE("a drain without an end waits as long as it takes, and one without time does not",
          "[A10]") {
  fresh t;
  for (int i = 0; i < 3; ++i) (void)t.events->post(numbered{i});
  t.context.run();
  if (GENERATE(true, false)) {
    auto draining = t.context.spawn(t.events->drain(manual_clock::duration::max()));
    t.clock.run_for(t.context, 24h * 36500);
    CHECK_FALSE(draining.done());
    t.open.open();
    t.context.run();
    REQUIRE(draining.done());
    CHECK(draining.get().handled == 3);
  } else {
    const drain_report report =
        t.clock.run(t.context, t.events->drain(manual_clock::duration::min()));
    CHECK(report.abandoned == 3);
  }
}

}  // namespace shutdown_test
