// Handlers behind a circuit breaker.

#include "policy/running.hpp"

#include <msgbus/testing/cut_off.hpp>

namespace running_breaker_test {

using asio::awaitable;
using msgbus::circuit_breaker;
using msgbus::errc;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using state = circuit_breaker::state;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<circuit_breaker> quick_breaker() {
  return std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = 1, .open_for = 5s, .name = "bank"});
}

/// A handler whose downstream may be down.
struct downstream {
  bool is_down = true;
  std::vector<int> calls;

  void call(const placed& event) {
    calls.push_back(event.id);
    if (is_down) throw std::runtime_error("down");
  }
  auto handler() {
    return [this](const placed& event) { call(event); };
  }
};

}  // namespace

TEST_CASE("an awaited verb fails at once while the breaker is open, and says until when") {
  running t;
  downstream bank;
  const auto breaker = quick_breaker();
  t.events.handler(bank.handler(), {.breaker = breaker});
  CHECK(msgbus_test::text_of([&] { t.consume(1); }) == "down");
  CHECK(breaker->current() == state::open);
  t.clock.advance(2s);
  CHECK(msgbus_test::text_of([&] { t.consume(2); }) ==
        "circuit breaker 'bank' is open: it tries again in 3000 ms");
  CHECK(code_of([&] { t.consume(2); }) == errc::circuit_open);
  CHECK(bank.calls == std::vector{1});
  CHECK(t.events.stats().failed == 3);
  bank.is_down = false;
  t.clock.advance(3s);
  CHECK(t.consume(3) == 1);
  CHECK(breaker->current() == state::closed);
}

TEST_CASE("the pause of an open breaker ends in its time, whatever else happens meanwhile",
          "[P3]") {
  running t;
  downstream bank;
  const auto breaker = quick_breaker();
  t.events.handler(bank.handler(), {.breaker = breaker});
  CHECK_THROWS(t.consume(1));
  // when: verbs are refused, a component that waits for it is closed, messages come
  for (int second = 1; second <= 4; ++second) {
    t.pass(1s);
    CHECK(code_of([&] { t.consume(9); }) == errc::circuit_open);
    msgbus::async::consumer other(t.context.get_executor());
    other.handler(bank.handler(), {.breaker = breaker});
    (void)other.post(placed{8});
    t.context.run();
    CHECK(t.clock.run(t.context, other.drain(0s)).abandoned == 1);
    (void)t.events.post(placed{second + 1});
    t.context.run();
    CHECK(bank.calls == std::vector{1});
  }
  // then: the first message that waits is tried after the pause
  bank.is_down = false;
  t.pass(1s);
  CHECK(bank.calls == std::vector{1, 2, 3, 4, 5});
  CHECK(breaker->current() == state::closed);
}

TEST_CASE("messages wait in their mailbox while the breaker is open", "[P2][P3]") {
  running t({.capacity = 8});
  downstream bank;
  const auto breaker = quick_breaker();
  t.events.handler(bank.handler(), {.breaker = breaker, .retry = {.attempts = 2, .backoff = 1s}});
  t.post(1, 5);
  t.context.run();
  CHECK(bank.calls == std::vector{1});
  CHECK(t.events.waiting() == 4);
  t.post(6, 9);
  CHECK(t.events.waiting() == 8);
  CHECK(t.events.post(placed{10}).rejected == 1);  // backpressure works
  bank.is_down = false;
  t.pass(5s - 1ns);
  CHECK(bank.calls == std::vector{1});
  t.pass(1ns);
  // The second attempt of the first one is the probe.
  CHECK(bank.calls == std::vector{1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(t.events.stats().handled == 9);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("an open breaker uses up no attempt", "[P3]") {
  running t;
  downstream bank;
  std::vector<unsigned> attempts;
  const auto breaker = quick_breaker();
  t.events.handler(
      [&](const placed& event, const msgbus::context& known) {
        attempts.push_back(known.attempt());
        bank.call(event);
      },
      {.breaker = breaker, .retry = {.attempts = 3, .backoff = 1ms}});
  t.post(1, 1);
  t.pass(1h);
  CHECK(attempts == std::vector{1u, 2u, 3u});
  // It opened for 5 s and for 10 s.
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("a breaker that is reset by hand lets those through that wait") {
  running t;
  downstream bank;
  const auto breaker = quick_breaker();
  t.events.handler(bank.handler(), {.breaker = breaker});
  bank.is_down = false;
  breaker->isolate();
  t.post(1, 2);
  t.pass(1000h);
  CHECK(bank.calls.empty());
  CHECK(code_of([&] { t.consume(3); }) == errc::circuit_open);
  breaker->reset();
  t.context.run();
  CHECK(bank.calls == std::vector{1, 2});
}

TEST_CASE("handlers that share a breaker wait for the same probe") {
  running t;
  downstream bank;
  msgbus::async::consumer others(t.context.get_executor());
  const auto breaker = quick_breaker();
  t.events.handler(
      [&](const placed& event) -> awaitable<void> {
        bank.calls.push_back(event.id);
        co_await msgbus::exec::sleep(3s);
        if (bank.is_down) throw std::runtime_error("down");
      },
      {.breaker = breaker});
  others.handler(bank.handler(), {.breaker = breaker});
  t.post(1, 2);
  t.pass(3s);
  CHECK(breaker->current() == state::open);
  (void)others.post(placed{3});
  bank.is_down = false;
  t.pass(5s);
  CHECK(breaker->current() == state::half_open);
  CHECK(bank.calls == std::vector{1, 2});
  t.pass(3s);
  CHECK(breaker->current() == state::closed);
  CHECK(bank.calls == std::vector{1, 2, 3});
}

TEST_CASE("a probe that is cancelled is no failure, and gives its permit back", "[P3][P4]") {
  running t;
  downstream bank;
  const auto breaker = quick_breaker();
  msgbus::async::consumer others(t.context.get_executor());
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        if (bank.is_down) throw std::runtime_error("down");
        co_await msgbus::exec::sleep(1h);
      },
      {.breaker = breaker});
  others.handler(bank.handler(), {.breaker = breaker});
  t.post(1, 2);
  t.context.run();
  (void)others.post(placed{3});
  bank.is_down = false;
  t.pass(5s);
  CHECK(breaker->current() == state::half_open);
  CHECK(bank.calls.empty());
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 1);
  t.context.run();
  CHECK(bank.calls == std::vector{3});
  CHECK(breaker->current() == state::closed);
}

TEST_CASE("a probe that is destroyed gives its permit back", "[P3][A12]") {
  downstream bank;
  const auto breaker = quick_breaker();
  {
    running t;
    t.events.handler(
        [&](const placed&) -> awaitable<void> {
          if (bank.is_down) throw std::runtime_error("down");
          co_await msgbus::exec::sleep(1h);
        },
        {.breaker = breaker});
    t.post(1, 2);
    t.context.run();
    bank.is_down = false;
    t.pass(5s);
    CHECK(breaker->current() == state::half_open);
  }
  running t;
  t.clock.advance(5s);  // this clock began where the other one did
  t.events.handler(bank.handler(), {.breaker = breaker});
  t.post(3, 3);
  t.pass(1h);
  CHECK(bank.calls == std::vector{3});
}

TEST_CASE("a failure that does not count gives a probe's permit back") {
  running t;
  std::string what = "down";
  const auto breaker = std::make_shared<circuit_breaker>(msgbus::breaker_options{
      .minimum = 1, .open_for = 5s, .counts = [](const std::exception_ptr& e) {
        return msgbus::describe(e) == "down";
      }});
  t.events.handler([&](const placed&) { throw std::runtime_error(what); }, {.breaker = breaker});
  CHECK_THROWS(t.consume());
  what = "wrong";
  t.clock.advance(5s);
  for (int i = 0; i < 3; ++i) CHECK(msgbus_test::text_of([&] { t.consume(); }) == "wrong");
  CHECK(breaker->current() == state::half_open);
}

TEST_CASE("a message that waits for a breaker is abandoned by a drain", "[P2]") {
  running t;
  downstream bank;
  const auto breaker = quick_breaker();
  t.events.handler(bank.handler(), {.breaker = breaker});
  breaker->isolate();
  t.post(1, 3);
  t.context.run();
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 3);
  CHECK(bank.calls.empty());
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

TEST_CASE("torn down after each step, waits for a breaker leave nothing behind", "[A12][P2]") {
  struct world {
    explicit world(msgbus::testing::stepping_context& in) : clock(in), events(in.get_executor()) {
      events.handler(
          [this](const placed&) -> awaitable<void> {
            if (++calls == 1) throw std::runtime_error("down");
            co_await msgbus::exec::sleep(1s);
          },
          {.timeout = 10s, .breaker = breaker, .retry = {.attempts = 3, .backoff = 1s}});
      for (int id = 1; id <= 3; ++id) (void)events.post(placed{id});
    }
    bool when_idle() { return clock.advance_to_next(); }

    int calls = 0;
    msgbus::testing::manual_clock clock;
    std::shared_ptr<circuit_breaker> breaker = quick_breaker();
    msgbus::async::consumer events;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& context) { return std::make_unique<world>(context); });
  CHECK(report.steps > 10);
}

}  // namespace running_breaker_test
