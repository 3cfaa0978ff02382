// Closing, draining and destroying, in every state.

#include <msgbus/async.hpp>

#include "support/shutdown_fixture.hpp"

namespace shutdown_test {

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

TEST_CASE("a drain finishes the accepted messages, and reports on them", "[A10]") {
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

TEST_CASE("before its deadline a drain cancels running handlers and discards waiting messages",
          "[A10]") {
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

TEST_CASE(
    "a destroyed component abandons its waiting messages, counted and reported, and ends the waits "
    "for it",
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
