// Everything is destroyed at any step, in any order (A12). Under a sanitizer this shows that
// nothing destroyed is touched and nothing leaks; without one, that every coroutine's locals have
// gone.

#include <msgbus/async.hpp>

#include "support/teardown_scenarios.hpp"

namespace teardown_test {

TEST_CASE("senders and mailboxes may be cut off at every step", "[A12]") {
  cut_off_everywhere<sending>();
}
TEST_CASE("awaited verbs may be cut off at every step", "[A12]") { cut_off_everywhere<awaiting>(); }
TEST_CASE("streams may be cut off at every step", "[A12]") { cut_off_everywhere<streaming>(); }
TEST_CASE("policies may be cut off at every step", "[A12]") { cut_off_everywhere<with_policies>(); }
TEST_CASE("drains and cancellations may be cut off at every step", "[A12]") {
  cut_off_everywhere<ending>();
}

TEST_CASE("the executor of a policy may lose its context while the caller waits", "[A12]") {
  stepping_context here;
  msgbus::testing::manual_clock clock(here);
  std::optional<stepping_context> there(std::in_place);
  consumer events(here.get_executor());
  int calls = 0;
  const auto handler = [&](const tracked&) -> awaitable<void> {
    ++calls;
    const tracked local;
    co_await msgbus::exec::sleep(1h);
  };
  SECTION("with a timeout") {
    events.handler(handler, {.executor = there->get_executor(), .timeout = 1h});
  }
  SECTION("with retries: there are none without it") {
    events.handler(handler,
                   {.executor = there->get_executor(), .retry = {.attempts = 3, .backoff = 1ms}});
  }
  {
    auto consumed = here.spawn(events.consume<tracked>(1));
    here.run();
    there->run();
    CHECK(calls == 1);
    there.reset();
    clock.run_for(here, 1h);
    CHECK(msgbus_test::is_aborted(consumed.failure()));
  }
  CHECK(calls == 1);
  CHECK(events.stats().failed == 1);
  CHECK(alive == 0);
}

TEST_CASE("a component whose context has gone takes nothing from others", "[A12][A10]") {
  stepping_context here;
  std::optional<stepping_context> there(std::in_place);
  consumer events(there->get_executor());
  subscriber news(there->get_executor());
  service commands(there->get_executor());
  producer source;
  source.bind(events);
  events.handler([](const tracked&) {});
  news.subscribe("a", [](int) {});
  auto command = commands.handler("command", [](int value) { return value; });
  there.reset();
  const auto code = [&](auto verb) {
    return msgbus_test::code_of([&] { here.run(std::move(verb)); });
  };
  CHECK(code(events.consume<tracked>(1)) == msgbus::errc::closed);
  CHECK(code(source.dispatch<tracked>(1)) == msgbus::errc::closed);
  CHECK(code(news.receive(1, "a")) == msgbus::errc::closed);
  CHECK(code(commands.execute("command", 1)) == msgbus::errc::closed);
  CHECK(code(command(1)) == msgbus::errc::closed);
  CHECK(here.run(events.send<tracked>(1)) == msgbus::receipt{.rejected = 1});
  CHECK(here.run(events.drain(1h)) == msgbus::drain_report{});
  CHECK(events.stats().rejected == 3);
  CHECK(msgbus_test::is_conserved(events.stats()));
}

TEST_CASE("an io_context and a thread_pool may go before the component or after it", "[A12]") {
  for (const bool context_first : {true, false}) {
    auto context = std::make_unique<asio::io_context>();
    auto events = std::make_unique<consumer>(context->get_executor());
    events->handler([](const tracked&) -> awaitable<void> {
      const tracked local;
      co_await hop(3);
    });
    for (int i = 0; i < 5; ++i) (void)events->post<tracked>(i);
    context->run_one();
    if (context_first) {
      context.reset();
      CHECK(events->post<tracked>(1) == msgbus::receipt{.rejected = 1});
      CHECK(events->stats().abandoned == 5);
      CHECK(msgbus_test::is_conserved(events->stats()));
      events.reset();
    } else {
      events.reset();
      context.reset();
    }
    CHECK(alive == 0);
  }
  for (const bool pool_first : {true, false}) {
    auto pool = std::make_unique<asio::thread_pool>(2);
    auto events = std::make_unique<consumer>(pool->get_executor());
    events->handler([](const tracked&) -> awaitable<void> {
      const tracked local;
      co_await hop(3);
    });
    for (int i = 0; i < 500; ++i) (void)events->post<tracked>(i);
    if (pool_first) {
      pool->stop();
      pool.reset();
      CHECK(msgbus_test::is_conserved(events->stats()));
      events.reset();
    } else {
      events.reset();
      pool->stop();
      pool.reset();
    }
    CHECK(alive == 0);
  }
}

TEST_CASE(
    "a message that a destroyed caller awaited is abandoned immediately, whatever runs elsewhere",
    "[A12][A7]") {
  for (int steps = 0; steps < 8; ++steps) {
    INFO(steps);
    std::optional<stepping_context> here(std::in_place);
    stepping_context there;
    consumer first(here->get_executor()), second(here->get_executor());
    consumer away(there.get_executor());
    producer all;
    all.bind(first, away, second);
    msgbus_test::gate never;
    bool ended = false;
    const auto wait = [&](const tracked&) -> awaitable<void> { co_await never.wait(); };
    first.handler(wait);
    second.handler(wait);
    away.handler([&](const tracked&) -> awaitable<void> {
      co_await hop(3);
      ended = true;
    });
    (void)here->spawn(all.dispatch<tracked>(1));
    for (int i = 0; i < steps; ++i) here->step();
    there.step();
    here.reset();
    for (const consumer* const each : {&first, &second}) {
      const auto now = each->stats();
      CHECK(msgbus_test::is_conserved(now));
      CHECK(now.abandoned == now.accepted);
    }
    there.run();
    CHECK(away.stats().handled == away.stats().accepted);
    CHECK(ended == (away.stats().accepted == 1));
  }
  CHECK(alive == 0);
}

}  // namespace teardown_test
