// As cancellation_state, for dependencies and streams.

#include <msgbus/async.hpp>

#include "support/cancellation_scene.hpp"

namespace cancellation_state_around_test {

using namespace cancellation_state_test;

namespace {

// What the dependencies below do, and have done.
struct {
  change what = change::reset;
  gate never;
  consumer* other = nullptr;
  std::string log;
} deps;

awaitable<int> swallows() {
  std::exception_ptr failure;
  try {
    co_await wait_and_change(deps.never, deps.what);
  } catch (...) {
    failure = std::current_exception();
  }
  deps.log += 's';
  co_return failure ? 1 : 0;  // gives a value although it was cancelled
}

awaitable<void> cleans_up(msgbus::async::yield<int> yield) {
  gate open;
  open.open();
  co_await wait_and_change(open, deps.what);
  std::exception_ptr failure;
  deps.log += '(';
  try {
    co_await yield(1);
  } catch (...) {
    failure = std::current_exception();
  }
  if (is_aborted(failure)) deps.log += 'a';
  co_await hop(2);
  deps.log += std::to_string(co_await deps.other->consume<int>(1));  // verbs may be awaited too
  deps.log += ')';
  co_await wait_and_change(open, deps.what);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("dependencies are cancelled with their handler, whatever they do to their state",
          "[I2][A9]") {
  enum class where { before_the_handler, after_it, around_another };
  const auto place = GENERATE(where::before_the_handler, where::after_it, where::around_another);
  const bool elsewhere_too = GENERATE(true, false);
  const bool sent = GENERATE(false, true);
  for (const change what : every_change) {
    INFO("change " << static_cast<int>(what));
    stepping_context context, elsewhere;
    manual_clock clock(context);
    consumer other(elsewhere_too ? elsewhere.get_executor() : context.get_executor());
    other.handler([](int) -> awaitable<void> { co_await hop(); });
    consumer events(context.get_executor());
    events.observe(std::make_shared<msgbus::observer>());
    deps = {};
    deps.what = what;
    deps.other = &other;
    int handled = 0;
    const auto run = [&] {
      while (context.run() + elsewhere.run() != 0) {
      }
    };
    std::string expected;
    if (place == where::before_the_handler) {
      events.handler([&](const numbered&, msgbus::depends<swallows>) -> awaitable<void> {
        ++handled;
        co_await deps.never.wait();
      });
      expected = "s";
    }
    if (place == where::after_it) {
      events.handler([&](const numbered&, msgbus::depends<cleans_up>) -> awaitable<void> {
        co_await wait_and_change(deps.never, what);
        ++handled;
      });
      expected = "(a1)";
    }
    if (place == where::around_another) {
      events.handler([&](const numbered&, msgbus::depends<cleans_up>,
                         msgbus::depends<swallows>) -> awaitable<void> {
        ++handled;
        co_return;
      });
      expected = "(sa1)";
    }
    if (sent) {
      (void)events.post(numbered{1});
      run();
      CHECK(deps.never.came() == 1);
      auto drained = context.spawn(events.drain(1s));
      run();
      while (!drained.done() && clock.advance_to_next()) run();
      CHECK(drained.get() == msgbus::drain_report{.abandoned = 1});
    } else {
      seen_by_caller seen;
      const auto verb = [&]() -> awaitable<void> { (void)co_await events.consume<numbered>(1); };
      auto called = context.spawn(call(verb(), seen));
      run();
      CHECK(deps.never.came() == 1);
      called.cancel();
      run();
      REQUIRE(called.done());
      CHECK(is_aborted(called.failure()));
      CHECK(seen.state);
      CHECK(seen.threw);
    }
    CHECK(deps.log == expected);
    CHECK(handled == 0);
    CHECK(events.stats().abandoned == 1);
    CHECK(is_conserved(events.stats()));
  }
}

TEST_CASE("a loop over a stream ends when it is cancelled in a handler that resets its state",
          "[A9]") {
  for (const change what : every_change) {
    stepping_context context;
    consumer events(context.get_executor());
    consumer other(context.get_executor());
    gate never;
    other.handler([&](int) { return wait_and_change(never, what); });
    auto stream = events.stream_of<numbered>();
    int turns = 0;
    const auto loop = [&]() -> awaitable<void> {
      while (const std::optional<numbered> each = co_await stream.next()) {
        ++turns;
        try {
          (void)co_await other.consume<int>(each->n);
        } catch (const asio::system_error&) {
        }
      }
    };
    auto looping = context.spawn(loop());
    for (int i = 0; i < 3; ++i) (void)events.post(numbered{i});
    context.run();
    looping.cancel();
    context.run();
    REQUIRE(looping.done());
    CHECK(is_aborted(looping.failure()));
    CHECK(turns == 1);
    CHECK(stream.size() == 2);
  }
}

}  // namespace cancellation_state_around_test
