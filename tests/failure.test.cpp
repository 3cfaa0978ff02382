#include <msgbus/failure.hpp>

#include <msgbus/detail/exec/timer.hpp>

#include "policy/running.hpp"
#include "support/catch.hpp"

namespace failure_test {

using asio::awaitable;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

struct other {};

/// Records the calls of a component's hooks.
struct hook_calls {
  explicit hook_calls(running& t) {
    t.events.on_failed<placed>([this](const placed& event, const msgbus::failure& failure) {
      failed.push_back(std::to_string(event.id) + ": " + msgbus::describe(failure.error));
    });
    t.events.on_abandoned<placed>([this](const placed& event) { abandoned.push_back(event.id); });
  }
  std::vector<std::string> failed;
  std::vector<int> abandoned;
};

}  // namespace

TEST_CASE("a hook is called with a message that has finally failed", "[P2]") {
  running t;
  hook_calls seen(t);
  int runs = 0;
  // given: a handler with retries that fails for one message
  t.events.handler(
      [&](const placed& event) {
        ++runs;
        if (event.id == 2) throw std::runtime_error("no");
      },
      {.retry = {.attempts = 3, .backoff = 1s}});
  t.events.handler([](const other&) { throw std::runtime_error("of another type"); });
  // when: three messages are handled, and a failing one of another type
  t.post(1, 3);
  (void)t.events.post(other{});
  t.pass(1h);
  // then: the hook gets the failed message after its last attempt
  CHECK(runs == 5);
  CHECK(seen.failed == std::vector<std::string>{"2: no"});
  CHECK(seen.abandoned.empty());
}

TEST_CASE("a hook is called once, with all failures of a message") {
  running t;
  hook_calls seen(t);
  SECTION("a plain handler, at once") {
    t.events.handler([](const placed&) { throw std::runtime_error("a"); });
    t.post(1, 1);
    t.context.run();
    CHECK(seen.failed == std::vector<std::string>{"1: a"});
  }
  SECTION("two handlers, one of which suspends") {
    t.events.handler([](const placed&) { throw std::runtime_error("a"); });
    t.events.handler([](const placed&) -> awaitable<void> {
      co_await msgbus_test::hop();
      throw std::runtime_error("b");
    });
    t.post(1, 1);
    t.context.run();
    REQUIRE(seen.failed.size() == 1);
    CHECK_THAT(seen.failed[0], msgbus_test::contains("a") && msgbus_test::contains("b"));
  }
  SECTION("an awaited verb") {
    t.events.handler([](const placed&) { throw std::runtime_error("a"); });
    CHECK_THROWS(t.consume(7));
    CHECK(seen.failed == std::vector<std::string>{"7: a"});
  }
}

TEST_CASE("a hook is called with abandoned messages, running, waiting and interrupted", "[P2]") {
  running t;
  hook_calls seen(t);
  // given: one running and two waiting messages
  t.events.handler([](const placed&) { return msgbus::exec::sleep(1h); });
  t.post(1, 3);
  t.context.run();
  // when: a drain or a cancellation abandons messages
  SECTION("by a drain") {
    CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 3);
    t.context.run();
    CHECK(seen.abandoned == std::vector{1, 2, 3});
    CHECK(seen.failed.empty());
  }
  SECTION("by a cancelled verb") {
    auto call = t.context.spawn(t.events.consume(placed{9}));
    t.context.run();
    call.cancel();
    t.context.run();
    CHECK(seen.abandoned == std::vector{9});
  }
}

TEST_CASE("a hook is not called after its component was destroyed") {
  msgbus::testing::stepping_context context;
  msgbus::testing::manual_clock clock(context);
  int calls = 0;
  {
    msgbus::async::consumer events(context.get_executor());
    // given: a component with hooks, a running handler and a waiting message
    events.on_failed<placed>([&](const placed&, const msgbus::failure&) { ++calls; });
    events.on_abandoned<placed>([&](const placed&) { ++calls; });
    events.handler([](const placed&) -> awaitable<void> {
      co_await msgbus::exec::sleep(1s);
      throw std::runtime_error("late");
    });
    (void)events.post(placed{1});
    (void)events.post(placed{2});
    context.run();
  }
  // when: the component is destroyed, and time passes
  clock.run_for(context, 1h);
  // then: no hook was called
  CHECK(calls == 0);
}

TEST_CASE("an exception of a hook has no effect, and a hook may add a hook") {
  running t;
  int calls = 0;
  t.events.on_failed<placed>([&](const placed&, const msgbus::failure&) {
    if (++calls == 1) {
      t.events.on_failed<placed>([&](const placed&, const msgbus::failure&) { calls += 10; });
    }
    throw std::logic_error("no more of this");
  });
  t.events.handler([](const placed&) { throw std::runtime_error("down"); });
  CHECK(msgbus_test::text_of([&] { t.consume(); }) == "down");
  CHECK(calls == 1);
  CHECK(msgbus_test::text_of([&] { t.consume(); }) == "down");
  CHECK(calls == 12);
  CHECK(t.events.stats().failed == 2);
}

TEST_CASE("a subscriber's hook gets the topic") {
  running t;
  msgbus::async::subscriber inbox(t.context.get_executor());
  std::string topic;
  inbox.on_failed<placed>(
      [&](const placed&, const msgbus::failure& failure) { topic = failure.topic; });
  inbox.subscribe("orders.*", [](const placed&) { throw std::runtime_error("down"); });
  (void)inbox.post(placed{1}, "orders.new");
  t.context.run();
  CHECK(topic == "orders.new");
}

}  // namespace failure_test

namespace refused_error_test {

using namespace std::chrono_literals;

TEST_CASE("a refused_error is an error with the time to try again") {
  const auto thrown =
      std::make_exception_ptr(msgbus::refused_error(msgbus::errc::circuit_open, "later", 2s));
  CHECK(msgbus::retry_after(thrown) == 2s);
  try {
    std::rethrow_exception(thrown);
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::circuit_open);
    CHECK(std::string(e.what()) == "later");
  }
}

TEST_CASE("a failure is printed with the text of its error") {
  const msgbus::failure one{.error = std::make_exception_ptr(std::runtime_error("no disk")),
                            .topic = "orders",
                            .message_id = "m-1"};
  CHECK(Catch::Detail::stringify(one) ==
        R"(failure{.error = "no disk", .topic = "orders", .message_id = "m-1"})");
}

}  // namespace refused_error_test
