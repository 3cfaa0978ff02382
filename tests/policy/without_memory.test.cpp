// A limit of time whose message to the handler's strand finds no memory.

#include "policy/running.hpp"

#include "support/failing_new.hpp"

namespace without_memory_test {

using asio::awaitable;
using msgbus::errc;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

#ifndef MSGBUS_TEST_NO_FAILING_NEW

using msgbus_test::failing_allocation;

namespace {

/// A handler that takes an hour and has two seconds, which are over.
struct late {
  explicit late(bool fails) {
    t.events.observe(watching);
    t.events.handler(
        [this, fails](const placed&) -> awaitable<void> {
          try {
            co_await msgbus::exec::sleep(1h);
          } catch (...) {
            was_stopped = true;
            throw;
          }
          if (fails) throw std::runtime_error("down");
        },
        {.timeout = 2s});
    t.post(1, 1);
    t.context.run();
    t.clock.advance(2s);
  }

  /// Makes some steps, and another one in which this allocation fails. False if the step does not
  /// make so many, or is Asio's own, whose exception leaves it.
  bool fail_in_step(int steps, long number) {
    while (steps-- != 0) t.context.step();
    const failing_allocation here(number);
    try {
      t.context.step();
    } catch (const std::bad_alloc&) {
      return false;
    }
    return failing_allocation::has_failed();
  }

  bool was_stopped = false;
  msgbus::testing::probe watching;
  running t;
};

/// After how many steps a handler is stopped.
int steps_to_stop() {
  late l(false);
  int steps = 0;
  for (; !l.was_stopped; ++steps) REQUIRE(l.t.context.step());
  return steps;
}

}  // namespace

TEST_CASE("a handler that could not be stopped for lack of memory is judged when it ends",
          "[P1][P2]") {
  // The last two steps are the strand's: the signal, and the coroutine that it ends.
  const int steps_of_timer = steps_to_stop() - 2;
  int not_stopped = 0;
  for (int steps = 0; steps < steps_of_timer; ++steps) {
    // Behind these, Asio's strand has taken its function and cannot post itself: it never runs
    // again.
    for (long number = 0; number < 3; ++number) {
      for (const bool fails : {false, true}) {
        late l(fails);
        if (!l.fail_in_step(steps, number)) continue;
        l.t.context.run();
        if (l.was_stopped) continue;
        ++not_stopped;
        l.t.pass(1h);
        const auto counted = l.t.events.stats();
        CHECK(msgbus_test::is_conserved(counted));
        CHECK(counted.overran == 1);
        CHECK(counted.handled == (fails ? 0 : 1));
        CHECK(counted.failed == (fails ? 1 : 0));
      }
    }
  }
  CHECK(not_stopped > 0);
}

#endif

}  // namespace without_memory_test
