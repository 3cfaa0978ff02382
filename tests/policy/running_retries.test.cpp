// Retries and deadlines of handlers that run.

#include "policy/running.hpp"

namespace running_retries_test {

using asio::awaitable;
using msgbus::errc;
using msgbus_test::code_of;
using msgbus_test::hop;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

struct busy : std::runtime_error, msgbus::retry_hint {
  explicit busy(std::chrono::steady_clock::duration after)
      : std::runtime_error("busy"), retry_hint(after) {}
};

bool is_busy(const std::exception_ptr& failure) { return msgbus::describe(failure) == "busy"; }

}  // namespace

TEST_CASE("a failure that is not worth it is not repeated") {
  running t;
  int runs = 0;
  t.events.handler([&](const placed&) { throw std::runtime_error(++runs < 3 ? "busy" : "wrong"); },
                   {.retry = {.attempts = 9, .backoff = 1s, .jitter = 0, .if_ = is_busy}});
  CHECK(msgbus_test::text_of([&] { t.consume(); }) == "wrong");
  CHECK(runs == 3);
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("cancellation, bad_alloc and misuse are not repeated", "[P4]") {
  running t;
  int runs = 0;
  std::exception_ptr what;
  t.events.handler(
      [&](const placed&) {
        ++runs;
        std::rethrow_exception(what);
      },
      {.retry = {.attempts = 3, .backoff = 1s}});
  for (const auto& each :
       {std::make_exception_ptr(std::bad_alloc()), msgbus::exec::aborted("a wait of the handler's"),
        std::make_exception_ptr(msgbus::error(errc::would_deadlock, ""))}) {
    what = each;
    CHECK_THROWS(t.consume());
  }
  CHECK(runs == 3);
  CHECK(t.since_start() == 0s);
}

TEST_CASE("the pause is as long as the failure asks for") {
  running t;
  int runs = 0;
  t.events.handler(
      [&](const placed&) {
        if (++runs < 3) throw busy(7s);
      },
      {.retry = {.attempts = 3, .backoff = 1s, .max_backoff = 2s}});
  CHECK(t.consume() == 1);
  CHECK(t.since_start() == 14s);
}

TEST_CASE("a deadline is for all attempts and pauses together") {
  running t;
  int runs = 0;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++runs;
        co_await msgbus::exec::sleep(2s);
        throw std::runtime_error("down");
      },
      {.retry = {.attempts = 9, .backoff = 1s, .jitter = 0, .kind = msgbus::backoff_kind::constant},
       .deadline = 10s});
  SECTION("an attempt that is not done by then fails with timed_out, and is the last") {
    // Attempts begin after 0, 3, 6 and 9 s.
    CHECK(code_of([&] { t.consume(); }) == errc::timed_out);
    CHECK(runs == 4);
    CHECK(t.since_start() == 10s);
    CHECK(t.events.stats().overran == 1);
  }
  SECTION("each message has one of its own") {
    CHECK_THROWS(t.consume());
    runs = 0;
    CHECK_THROWS(t.consume());
    CHECK(runs == 4);
    CHECK(t.since_start() == 20s);
  }
}

TEST_CASE("a pause that would not end before the deadline is not begun") {
  running t;
  int runs = 0;
  t.events.handler(
      [&](const placed&) {
        ++runs;
        throw std::runtime_error("down");
      },
      {.retry = {.attempts = 9, .backoff = 4s, .jitter = 0}, .deadline = 10s});
  // The first pause ends after 4 s, and the second would after 12.
  CHECK(msgbus_test::text_of([&] { t.consume(); }) == "down");
  CHECK(runs == 2);
  CHECK(t.since_start() == 4s);
}

TEST_CASE("a handler sees the deadline or the end of its attempt, whichever is nearer", "[P7]") {
  running t;
  std::vector<std::chrono::steady_clock::duration> left;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) -> awaitable<void> {
        left.push_back(known.deadline().value() - t.clock.now());
        co_await msgbus::exec::sleep(1h);
      },
      {.timeout = 4s, .retry = {.attempts = 9, .backoff = 1s, .jitter = 0}, .deadline = 10s});
  CHECK(code_of([&] { t.consume(); }) == errc::timed_out);
  CHECK(left == std::vector<std::chrono::steady_clock::duration>{4s, 4s});  // 5 + 4 + 2 > 10
  left.clear();
  msgbus::async::consumer others(t.context.get_executor());
  others.handler(
      [&](const placed&, const msgbus::context& known) {
        left.push_back(known.deadline().value() - t.clock.now());
      },
      {.timeout = 4s, .deadline = 3s});
  CHECK(t.clock.run(t.context, others.consume(placed{})) == 1);
  CHECK(left == std::vector<std::chrono::steady_clock::duration>{3s});
}

TEST_CASE("a deadline that ends an attempt says so") {
  running t;
  t.events.handler([](const placed&) -> awaitable<void> { co_await msgbus::exec::sleep(1h); },
                   {.deadline = 10ms});
  CHECK_THAT(msgbus_test::text_of([&] { t.consume(); }),
             msgbus_test::contains("was not done within its deadline of 10 ms"));
}

TEST_CASE("a handler that is cancelled in a pause makes no other attempt", "[D6]") {
  running t;
  int runs = 0;
  auto handler = t.events.handler(
      [&](const placed&) {
        ++runs;
        throw std::runtime_error("down");
      },
      {.retry = {.attempts = 9, .backoff = 1s}});
  t.post(1, 1);
  t.context.run();
  handler.cancel();
  t.pass(1h);
  CHECK(runs == 1);
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("a message that is cancelled in a pause is abandoned", "[P2]") {
  running t;
  t.events.handler([](const placed&) { throw std::runtime_error("down"); },
                   {.retry = {.attempts = 9, .backoff = 1h, .max_backoff = 1h}});
  t.post(1, 3);
  t.context.run();
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 3);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

}  // namespace running_retries_test
