// Drains that end early: by their grace, by a stopped executor, by cancellation.

#include <msgbus/async.hpp>

#include "support/shutdown_fixture.hpp"

namespace drain_limits_test {

using namespace shutdown_test;

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

TEST_CASE("while draining, messages that handlers send to other components are still accepted",
          "[A10]") {
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

}  // namespace drain_limits_test
