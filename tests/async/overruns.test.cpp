// Attempts that take longer than their timeout, and handlers that ask how long they have.

#include <msgbus/async.hpp>

#include <msgbus/counters.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace overruns_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using namespace std::chrono_literals;
using time_point = std::chrono::steady_clock::time_point;

namespace {

struct timing final : msgbus::observer {
  void overran(const msgbus::step& of, std::chrono::steady_clock::duration took) override {
    CHECK(of.message == "int");
    all.push_back(took);
  }
  std::vector<std::chrono::steady_clock::duration> all;
};

struct fixture {
  fixture() { events.observe(observer); }
  stepping_context context;
  manual_clock clock{context};
  consumer events{context.get_executor()};
  std::shared_ptr<timing> observer = std::make_shared<timing>();
};

}  // namespace

TEST_CASE(
    "a message of a blocking handler that succeeds after its timeout is handled, reported and "
    "counted") {
  fixture t;
  int attempts = 0;
  const auto slow = [&](int) {
    ++attempts;
    t.clock.advance(5s);
  };
  t.events.handler(slow, {.timeout = 2s, .retry = {.attempts = 3}});
  CHECK(t.clock.run(t.context, t.events.consume(1)) == 1);
  CHECK(attempts == 1);
  CHECK(t.events.stats().handled == 1);
  CHECK(t.events.stats().overran == 1);
  REQUIRE(t.observer->all.size() == 1);
  CHECK(t.observer->all[0] == 5s);
}

TEST_CASE("a blocking handler that fails after its timeout has failed with timed_out") {
  fixture t;
  const auto slow = [&](int) {
    t.clock.advance(5s);
    throw std::runtime_error("too late");
  };
  t.events.handler(slow, {.timeout = 2s});
  CHECK(code_of([&] { t.clock.run(t.context, t.events.consume(1)); }) == msgbus::errc::timed_out);
  CHECK(t.events.stats().overran == 1);
  CHECK(t.observer->all.size() == 1);
}

TEST_CASE("each attempt that is cancelled for its timeout is reported and counted") {
  fixture t;
  msgbus_test::gate never;
  t.events.handler([&](int) { return never.wait(); },
                   {.timeout = 2s, .retry = {.attempts = 2, .backoff = 1s, .jitter = 0}});
  CHECK(code_of([&] { t.clock.run(t.context, t.events.consume(1)); }) == msgbus::errc::timed_out);
  CHECK(t.events.stats().overran == 2);
  CHECK(t.observer->all == std::vector<std::chrono::steady_clock::duration>{2s, 2s});
}

TEST_CASE("an attempt within its timeout is not reported") {
  fixture t;
  t.events.handler([&](int) { t.clock.advance(2s); }, {.timeout = 2s});
  t.events.handler([&](int) { t.clock.advance(9s); });
  CHECK(t.clock.run(t.context, t.events.consume(1)) == 2);
  CHECK(t.events.stats().overran == 0);
  CHECK(t.observer->all.empty());
}

TEST_CASE("a handler sees the deadline of its attempt, and none without a timeout") {
  fixture t;
  std::vector<std::optional<time_point>> seen;
  const time_point begun = t.clock.now();
  const auto note = [&](int, const msgbus::context& about) {
    seen.push_back(about.deadline());
    t.clock.advance(500ms);
    if (about.attempt() < 2) throw std::runtime_error("once more");
  };
  t.events.handler(note, {.timeout = 2s, .retry = {.attempts = 2, .backoff = 1s, .jitter = 0}});
  t.events.handler([&](int, const msgbus::context& about) { seen.push_back(about.deadline()); });
  CHECK(t.clock.run(t.context, t.events.consume(1)) == 2);
  REQUIRE(seen.size() == 3);
  CHECK(seen[0] == begun + 2s);
  CHECK(seen[1] == begun + 500ms + 1s + 2s);
  CHECK(seen[2] == std::nullopt);
}

TEST_CASE("an attempt is judged by its own end, however late its caller goes on", "[P1]") {
  stepping_context elsewhere;
  manual_clock there{elsewhere};
  fixture t;
  bool fails = false;
  t.events.handler(
      [&](int) -> awaitable<void> {
        if (fails) throw std::runtime_error("down");
        co_return;
      },
      {.executor = elsewhere.get_executor(), .timeout = 2s});
  SECTION("which is well") {}
  SECTION("which is not") { fails = true; }
  auto call = t.context.spawn(t.events.consume(1));
  t.context.run();
  elsewhere.run();
  // The handler has ended. Its time passes before its caller gets to know.
  there.advance(3s);
  elsewhere.run();
  t.context.run();
  REQUIRE(call.done());
  if (fails) {
    CHECK(msgbus_test::text_of([&] { (void)call.get(); }) == "down");
  } else {
    CHECK(call.get() == 1);
  }
  CHECK(t.events.stats().overran == 0);
  CHECK(t.observer->all.empty());
}

TEST_CASE("messages and calls that time out do not affect later ones", "[P1]") {
  fixture t;
  std::vector<int> ended;
  t.events.handler(
      [&](int seconds) -> awaitable<void> {
        co_await msgbus::async::sleep(std::chrono::seconds(seconds));
        ended.push_back(seconds);
      },
      {.timeout = 2s});
  // The handlers of the mailbox share a coroutine, which each time-out cancels.
  for (const int seconds : {1, 5, 1, 9, 0}) (void)t.events.post(seconds);
  t.clock.run_for(t.context, 6s);
  CHECK(ended == std::vector{1, 1, 0});
  CHECK(t.events.stats().handled == 3);
  CHECK(t.events.stats().failed == 2);
  CHECK(t.observer->all == std::vector<std::chrono::steady_clock::duration>{2s, 2s});
  // A call in a coroutine that nothing cancels, and one in a coroutine that can be cancelled.
  const auto call = [&](int seconds) { t.clock.run(t.context, t.events.consume(int(seconds))); };
  CHECK(code_of([&] { call(3); }) == msgbus::errc::timed_out);
  call(1);
  auto cancelled = t.context.spawn(t.events.consume(1));
  t.context.run();
  cancelled.cancel();
  t.context.run();
  CHECK(msgbus_test::is_aborted(cancelled.failure()));
  CHECK(t.events.stats().overran == 3);
  // Nothing that has ended keeps a timer.
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a handler that takes no notice of its time-out ends, and the next message has its own",
          "[P1]") {
  fixture t;
  int shielded = 0;
  t.events.handler(
      [&](int n) -> awaitable<void> {
        if (n == 1) {
          co_await msgbus::async::shielded(msgbus::async::sleep(5s));
          ++shielded;
          co_return;
        }
        co_await msgbus::async::sleep(1s);
      },
      {.timeout = 2s});
  (void)t.events.post(1);
  (void)t.events.post(2);
  t.clock.run_for(t.context, 7s);
  CHECK(shielded == 1);
  CHECK(t.events.stats().handled == 2);
  CHECK(t.events.stats().overran == 1);
  CHECK(t.observer->all == std::vector<std::chrono::steady_clock::duration>{5s});
}

}  // namespace overruns_test
