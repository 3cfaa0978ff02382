// Whatever users' coroutines do to their cancellation state: the library knows what is cancelled,
// and so do their callers.

#include <msgbus/async.hpp>

#include "support/cancellation_scene.hpp"

namespace cancellation_state_test {

TEST_CASE("a verb is abandoned, and its caller cancelled, whatever its handlers do to their state",
          "[A1][A7][A9]") {
  for (const verb& each : verbs) {
    for (const change what : every_change) {
      for (std::size_t policy = 0; policy < 5; ++policy) {
        INFO(each.name << ", change " << static_cast<int>(what) << ", policy " << policy);
        stepping_context pool;
        msgbus::policy how;
        if (policy == 1 || policy == 3) how.retry = {.attempts = 3, .backoff = 1ms};
        if (policy == 2 || policy == 3) how.timeout = 1h;
        if (policy == 4) how.executor = pool.get_executor();
        scene in(what, how);
        seen_by_caller seen;
        auto called = in.context.spawn(call(each.call(in), seen));
        const auto run = [&] {
          do {
            in.run();
          } while (pool.run() != 0);
          in.run();
        };
        run();
        CHECK(in.begun == static_cast<int>(each.components));
        called.cancel();
        run();
        CHECK(called.done());  // no attempt is waited for
        in.clock.run_for(in.context, 1min);
        run();
        REQUIRE(called.done());
        CHECK(is_aborted(called.failure()));
        CHECK(seen.state);
        CHECK(seen.threw);
        CHECK(in.begun == static_cast<int>(each.components));
        CHECK(in.next == 0);
        CHECK(in.total().abandoned == each.components);
        CHECK(in.total().failed + in.total().handled == 0);
      }
    }
  }
}

TEST_CASE("a message of a mailbox is abandoned, whatever its handler does to its state",
          "[A7][A10]") {
  for (const change what : every_change) {
    for (const int round : {0, 1, 2, 3}) {
      const bool retries = round % 2 == 1;
      const bool drains = round < 2;
      INFO("change " << static_cast<int>(what) << ", round " << round);
      msgbus::policy how;
      if (retries) how.retry = {.attempts = 3, .backoff = 1ms};
      scene in(what, how);
      const msgbus::testing::probe watching;
      in.first.observe(watching);
      for (int i = 0; i < 2; ++i) (void)in.first.post(numbered{i});
      (void)in.topics.post(1, "a");
      (void)in.commands.post("update", 1);
      in.run();
      CHECK(in.begun == 3);
      if (drains) {
        CHECK(in.clock.run(in.context, in.first.drain(1s)) == msgbus::drain_report{.abandoned = 2});
        CHECK(in.clock.run(in.context, in.topics.drain(1s)) ==
              msgbus::drain_report{.abandoned = 1});
        CHECK(in.clock.run(in.context, in.commands.drain(1s)) ==
              msgbus::drain_report{.abandoned = 1});
        CHECK(in.total().abandoned == 4);
      }
      if (!drains) in.first_owner.reset();
      in.clock.run_for(in.context, 1min);
      in.run();
      CHECK(watching.count(msgbus::testing::seen::abandoned) == 2);
      CHECK(in.begun == 3);
      CHECK(in.next == 0);
    }
  }
}

TEST_CASE("a handler that is out of time has failed, whatever it does to its state", "[A7][A9]") {
  for (const verb& each : verbs) {
    for (const change what : every_change) {
      INFO(each.name << ", change " << static_cast<int>(what));
      msgbus::policy how;
      how.timeout = 10ms;
      how.retry = {.attempts = 2, .backoff = 1ms};
      scene in(what, how);
      const manual_clock there(in.elsewhere);
      seen_by_caller seen;
      auto called = in.context.spawn(call(each.call(in), seen));
      for (int i = 0; i < 100 && !called.done(); ++i) {
        in.run();
        in.clock.advance(1ms);
        const_cast<manual_clock&>(there).advance(1ms);
      }
      in.run();
      REQUIRE(called.done());
      CHECK(in.begun == 2 * static_cast<int>(each.components));
      CHECK(in.total().failed == each.components);
      CHECK(in.total().abandoned == 0);
      CHECK_FALSE(seen.state);
      if (each.components == 1) {
        CHECK(code_of([&] { called.get(); }) == msgbus::errc::timed_out);
      }
    }
  }
}

TEST_CASE("a handler that changes its state changes it for nobody else", "[A9]") {
  enum class whom { next_handler, next_attempt, pause, caller };
  const auto other = GENERATE(whom::next_handler, whom::next_attempt, whom::pause, whom::caller);
  const bool here = GENERATE(true, false);
  for (const change what : every_change) {
    INFO("change " << static_cast<int>(what));
    stepping_context context, elsewhere;
    manual_clock clock(context);
    consumer events(here ? context.get_executor() : elsewhere.get_executor());
    gate never;
    int failures = 0;
    bool cancelled = false;
    const auto wait = [&]() -> awaitable<void> {
      try {
        co_await never.wait();
      } catch (...) {
        cancelled = is_aborted(std::current_exception());
        throw;
      }
    };
    const auto run = [&] {
      while (context.run() + elsewhere.run() != 0) {
      }
    };
    gate open;
    open.open();
    events.handler([&](const numbered&) { return wait_and_change(open, what); });
    seen_by_caller seen;
    if (other == whom::next_handler) {
      events.handler([&](const numbered&) { return wait(); });
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      CHECK(never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(events.stats().abandoned == 1);
      CHECK(cancelled);
    }
    if (other == whom::next_attempt) {
      const auto again = [&](const numbered&, const msgbus::context& known) -> awaitable<void> {
        if (known.attempt() == 2) co_await wait();
        co_await wait_and_change(open, what);
        ++failures;
        throw std::runtime_error("the first time");
      };
      events.handler(again, {.retry = {.attempts = 3, .backoff = {}}});
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      while (never.came() == 0 && clock.advance_to_next()) run();
      CHECK(failures == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(cancelled);
      CHECK(events.stats().abandoned == 1);
    }
    if (other == whom::pause) {
      const auto fails = [&](const numbered&) -> awaitable<void> {
        co_await wait_and_change(open, what);
        throw std::runtime_error("every time");
      };
      events.handler(fails, {.retry = {.attempts = 3, .backoff = 1h, .max_backoff = 1h}});
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(events.stats().abandoned == 1);
    }
    if (other == whom::caller) {
      const auto verb = [&]() -> awaitable<void> {
        (void)co_await events.consume<numbered>(1);
        co_await wait();
      };
      auto called = context.spawn(verb());
      run();
      CHECK(never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(cancelled);
    }
  }
}

}  // namespace cancellation_state_test
