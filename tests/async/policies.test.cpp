// How handlers with a policy are run: again, for a limited time, elsewhere.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/faults.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace policies_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::testing::faults;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;
using namespace std::chrono_literals;

namespace {

struct placed {
  int id = 0;
};

int resolved = 0;
int counted_value() { return ++resolved; }
std::string clean_ups;
awaitable<void> open_session(msgbus::async::yield<int> yield) {
  clean_ups += "(";
  std::string how = "ok";
  std::exception_ptr failure;
  try {
    co_await yield(1);
  } catch (...) {
    how = "failed";
    failure = std::current_exception();
  }
  co_await hop();
  clean_ups += how + ")";
  if (failure) std::rethrow_exception(failure);
}

struct fresh {
  fresh() {
    resolved = 0;
    clean_ups.clear();
  }
  stepping_context context;
  manual_clock clock{context};
  consumer events{context.get_executor()};
};

}  // namespace

TEST_CASE("a retry is a new invocation: dependencies are resolved and released again", "[I1][I2]") {
  fresh t;
  std::vector<int> values;
  std::vector<unsigned> attempts;
  t.events.handler(
      [&](const placed&, msgbus::depends<counted_value> value, msgbus::depends<open_session>,
          const msgbus::context& known) -> awaitable<void> {
        values.push_back(*value);
        attempts.push_back(known.attempt());
        co_await hop();
        if (values.size() < 3) throw std::runtime_error("not yet");
      },
      {.retry = {.attempts = 5, .backoff = 10ms, .jitter = 0}});
  const auto start = t.clock.now();
  CHECK(t.clock.run(t.context, t.events.consume(placed{})) == 1);
  CHECK(values == std::vector{1, 2, 3});
  CHECK(attempts == std::vector{1u, 2u, 3u});
  CHECK(clean_ups == "(failed)(failed)(ok)");
  CHECK(t.clock.now() - start == 30ms);
  CHECK(t.events.stats().handled == 1);
}

TEST_CASE("a timeout does not hide that the clean-up failed", "[I3]") {
  static constexpr auto not_rolled_back = [](msgbus::async::yield<int> yield) -> awaitable<void> {
    std::exception_ptr failure;
    try {
      co_await yield(1);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) throw std::runtime_error("no rollback");
  };
  fresh t;
  t.events.handler(
      [](const placed&, msgbus::depends<not_rolled_back>) -> awaitable<void> {
        co_await msgbus::exec::sleep(1h);
      },
      {.timeout = 10ms});
  std::vector<std::string> thrown;
  try {
    t.clock.run(t.context, t.events.consume(placed{}));
  } catch (const msgbus::dispatch_error& e) {
    for (const auto& each : e.errors()) thrown.push_back(msgbus::describe(each));
  }
  REQUIRE(thrown.size() == 2);
  CHECK_THAT(thrown[0], msgbus_test::contains("was not done after 10 ms"));
  CHECK(thrown[1] == "no rollback");
}

TEST_CASE("after the last attempt its failure leaves, and the others were reported", "[D2]") {
  fresh t;
  const probe watching;
  t.events.observe(watching);
  int n = 0;
  t.events.handler([&](const placed&) { throw std::runtime_error(std::to_string(++n)); },
                   {.retry = {.attempts = 3, .backoff = 1ms}});
  CHECK(msgbus_test::text_of([&] { t.clock.run(t.context, t.events.consume(placed{})); }) == "3");
  std::vector<std::string> told;
  for (const auto& each : watching.failures()) told.push_back(msgbus::describe(each));
  CHECK(told == std::vector<std::string>{"1", "2", "3"});
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("a retried handler keeps its place among the others", "[D1]") {
  fresh t;
  std::string ran;
  const auto failing = faults::nth(1);
  t.events.handler([&](const placed&) { ran += "a"; });
  t.events.handler(failing.wrap([&](const placed&) { ran += "b"; }),
                   {.retry = {.attempts = 2, .backoff = 1s}});
  t.events.handler([&](const placed&) { ran += "c"; });
  (void)t.events.post(placed{});
  (void)t.events.post(placed{});
  t.clock.run_for(t.context, 10s);
  CHECK(ran == "abcabc");
  CHECK(failing.calls() == 3);
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("a handler that takes too long is cancelled, waited for, and fails with timed_out",
          "[A1]") {
  fresh t;
  gate never;
  bool ended = false;
  t.events.handler(
      [&](const placed&, msgbus::depends<open_session>) -> awaitable<void> {
        std::exception_ptr failure;
        try {
          co_await never.wait();
        } catch (...) {
          failure = std::current_exception();
        }
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await hop(4);
        ended = true;
        if (failure) std::rethrow_exception(failure);
      },
      {.timeout = 50ms});
  const auto start = t.clock.now();
  CHECK(code_of([&] { t.clock.run(t.context, t.events.consume(placed{})); }) ==
        msgbus::errc::timed_out);
  CHECK(ended);
  CHECK(t.clock.now() - start == 50ms);
  CHECK(clean_ups == "(failed)");
  CHECK(t.events.stats().failed == 1);
  (void)t.events.post(placed{});
  t.events.observe(std::make_shared<msgbus::observer>());
  t.clock.run_for(t.context, 1s);
  CHECK(t.events.stats().failed == 2);
}

TEST_CASE("each attempt has its own timeout") {
  fresh t;
  int n = 0;
  gate never;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        if (++n < 3) co_await never.wait();
      },
      {.timeout = 50ms, .retry = {.attempts = 3, .backoff = 10ms, .jitter = 0}});
  const auto start = t.clock.now();
  CHECK(t.clock.run(t.context, t.events.consume(placed{})) == 1);
  CHECK(t.clock.now() - start == 130ms);
  t.context.run();
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a handler that is quick enough is not disturbed by its timeout") {
  fresh t;
  t.events.handler(
      [&](const placed& event) -> awaitable<void> {
        co_await msgbus::exec::sleep(10ms);
        if (event.id < 0) throw std::out_of_range("own");
      },
      {.timeout = 50ms});
  CHECK(t.clock.run(t.context, t.events.consume(placed{})) == 1);
  CHECK_THROWS_AS(t.clock.run(t.context, t.events.consume(placed{-1})), std::out_of_range);
  t.context.run();
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a cancelled verb makes no further attempt", "[A9]") {
  fresh t;
  int n = 0;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++n;
        co_await hop();
        throw std::runtime_error("again");
      },
      {.retry = {.attempts = 100, .backoff = 1s}});
  auto running = t.context.spawn(t.events.consume(placed{}));
  t.clock.run_for(t.context, 500ms);
  CHECK(n == 1);
  running.cancel();
  t.context.run();
  CHECK(running.done());
  CHECK(n == 1);
  CHECK(t.clock.waiting() == 0);
  CHECK(t.events.stats().abandoned == 1);
}

TEST_CASE("a handler with an executor runs there, and the next one at home again", "[A2][D1]") {
  fresh t;
  stepping_context elsewhere;
  std::string ran;
  t.events.handler([&](const placed&) { ran += "a"; });
  t.events.handler([&](const placed&) { ran += "b"; }, {.executor = elsewhere.get_executor()});
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ran += "c";
        co_await hop();
        ran += "C";
      },
      {.executor = elsewhere.get_executor()});
  t.events.handler([&](const placed&) { ran += "d"; });
  auto running = t.context.spawn(t.events.consume(placed{}));
  t.context.run();
  CHECK(ran == "a");
  elsewhere.run();
  CHECK(ran == "ab");
  t.context.run();
  CHECK(ran == "ab");
  while (!running.done()) {
    elsewhere.run();
    if (ran.size() == 4) CHECK(ran == "abcC");
    t.context.run();
  }
  CHECK(ran == "abcCd");
  CHECK(running.get() == 4);
}

TEST_CASE("an operation may have a policy, which gives its result", "[A2]") {
  fresh t;
  stepping_context elsewhere;
  msgbus::async::service commands(t.context.get_executor());
  const auto failing = faults::nth(1);
  auto add = commands.handler("add", failing.wrap([](int a, int b) { return a + b; }),
                              {.executor = elsewhere.get_executor(),
                               .timeout = 10s,
                               .retry = {.attempts = 2, .backoff = 1ms}});
  auto running = t.context.spawn(add(1, 2));
  while (!running.done()) {
    t.context.run();
    elsewhere.run();
    t.clock.advance_to_next();
  }
  CHECK(running.get() == 3);
  CHECK(failing.calls() == 2);
}

TEST_CASE("a cancelled verb cancels the handler on the policy's executor", "[A9][A1]") {
  fresh t;
  stepping_context elsewhere;
  gate never;
  bool ended = false;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        std::exception_ptr failure;
        try {
          co_await never.wait();
        } catch (...) {
          failure = std::current_exception();
        }
        ended = true;
        std::rethrow_exception(failure);
      },
      {.executor = elsewhere.get_executor()});
  auto running = t.context.spawn(t.events.consume(placed{}));
  t.context.run();
  elsewhere.run();
  CHECK(never.came() == 1);
  running.cancel();
  t.context.run();
  CHECK_FALSE(running.done());
  elsewhere.run();
  CHECK(ended);
  t.context.run();
  CHECK(msgbus_test::is_aborted(running.failure()));
}

}  // namespace policies_test
