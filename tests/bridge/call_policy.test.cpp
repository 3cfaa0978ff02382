// Breaker, retries and deadlines of calls of remote services.

#include <msgbus/bridge/call_policy.hpp>

#include <msgbus/async.hpp>
#include <msgbus/bridge/remote_error.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/detail/exec/timer.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace call_policy_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::errc;
using msgbus::remote_service;
using msgbus::async::circuit_breaker;
using msgbus::async::consumer;
using msgbus::async::service;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::neighbourhood;
using msgbus_test::text_of;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

namespace {

bool is_any(std::string_view) { return true; }
bool is_charge(std::string_view operation) { return operation == "charge"; }

/// A bank in another process. It fails in its first attempts.
struct remote_bank : neighbourhood {
  bridge here = connect("here");
  bridge there = connect("there");
  service commands{executor()};
  int fails = 0;
  int runs = 0;
  duration takes = 0s;
  std::vector<std::string> ids;
  std::vector<std::optional<duration>> left;
  msgbus::async::operation<int(int)> charge = commands.handler(
      "charge", [this](int amount, const msgbus::context& known) -> awaitable<int> {
        ++runs;
        ids.emplace_back(known.message_id());
        left.push_back(known.deadline() ? std::optional<duration>(*known.deadline() - clock.now())
                                        : std::nullopt);
        if (takes != 0s) co_await msgbus::exec::sleep(takes);
        if (fails != 0) {
          --fails;
          throw std::runtime_error("down");
        }
        co_return amount;
      });
  void serve() { there.serve("bank", charge); }

  /// What the caller sees, and after how long.
  int call(const remote_service& of, int amount = 1) {
    return clock.run(steps, of.execute<int>("charge", amount));
  }
  [[nodiscard]] duration since_start() const { return clock.now() - start; }
  const std::chrono::steady_clock::time_point start = clock.now();
};

}  // namespace

TEST_CASE("an idempotent call is repeated after its pauses, with the same message id") {
  remote_bank all;
  all.serve();
  all.fails = 2;
  const remote_service bank(
      all.here, "bank",
      {.policy = {.retry = {.attempts = 3, .backoff = 1s, .jitter = 0}, .idempotent = is_charge}});
  CHECK(all.call(bank, 7) == 7);
  CHECK(all.runs == 3);
  CHECK(all.since_start() == 3s);
  CHECK(all.ids == std::vector<std::string>(3, all.ids[0]));
}

TEST_CASE("a call policy with a value that means nothing is refused before any call") {
  remote_bank all;
  const auto code = [&](msgbus::call_policy how) {
    return code_of([&] { remote_service(all.here, "bank", {.policy = std::move(how)}); });
  };
  CHECK(code({.retry = {.attempts = 0}}) == errc::bad_arguments);
  CHECK(code({.deadline = -1s}) == errc::bad_arguments);
  CHECK_FALSE(code({.deadline = 1s}));
}

TEST_CASE("the last failure of a call is thrown as it is without a policy") {
  remote_bank all;
  all.serve();
  all.fails = 9;
  const remote_service bank(
      all.here, "bank",
      {.policy = {.retry = {.attempts = 2, .backoff = 1s, .jitter = 0}, .idempotent = is_any}});
  CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  CHECK(all.runs == 2);
}

TEST_CASE("a call that may have been executed is not repeated, unless it is idempotent") {
  remote_bank all;
  all.serve();
  all.fails = 1;
  const remote_service bank(all.here, "bank", {.policy = {.retry = {.attempts = 5}}});
  CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  all.takes = 1h;
  CHECK(code_of([&] { all.call(bank); }) == errc::timed_out);
  CHECK(all.runs == 2);
}

TEST_CASE("a call that no process serves is repeated until one does") {
  remote_bank all;
  const remote_service bank(all.here, "bank",
                            {.policy = {.retry = {.attempts = 3, .backoff = 1s, .jitter = 0}}});
  auto call = all.steps.spawn(bank.execute<int>("charge", 5));
  all.clock.run_for(all.steps, 500ms);
  CHECK_FALSE(call.done());
  all.serve();
  all.clock.run_for(all.steps, 1s);
  REQUIRE(call.done());
  CHECK(call.get() == 5);
  CHECK(all.runs == 1);
}

TEST_CASE("`if_` chooses the failures that are retried, and its exception is reported") {
  remote_bank all;
  all.serve();
  all.fails = 9;
  msgbus::call_options options{.policy = {.retry = {.attempts = 3}, .idempotent = is_any}};
  SECTION("no failure") {
    options.policy.retry.if_ = [](const std::exception_ptr&) { return false; };
    const remote_service bank(all.here, "bank", options);
    CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  }
  SECTION("it throws") {
    options.policy.retry.if_ = [](const std::exception_ptr&) -> bool {
      throw std::logic_error("no answer");
    };
    const remote_service bank(all.here, "bank", options);
    CHECK_THAT(text_of([&] { all.call(bank); }), contains("no answer"));
  }
  CHECK(all.runs == 1);
}

TEST_CASE("calls fail at once while the breaker is open, and try again when its time is over",
          "[P3]") {
  remote_bank all;
  all.serve();
  all.fails = 2;
  const auto breaker = std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = 2, .open_for = 5s, .name = "bank"});
  const remote_service bank(all.here, "bank", {.policy = {.breaker = breaker}});
  CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  CHECK(code_of([&] { all.call(bank); }) == errc::circuit_open);
  CHECK(all.runs == 2);
  all.clock.run_for(all.steps, 5s);
  CHECK(all.call(bank, 3) == 3);
  CHECK(breaker->current() == circuit_breaker::state::closed);
}

TEST_CASE("timeouts and missing servers count for a breaker, cancelled calls do not", "[P4]") {
  remote_bank all;
  const auto breaker = std::make_shared<circuit_breaker>(msgbus::breaker_options{.minimum = 1});
  const remote_service bank(all.here, "bank", {.timeout = 1s, .policy = {.breaker = breaker}});
  SECTION("missing") {
    CHECK(code_of([&] { all.call(bank); }) == errc::no_handler);
  }
  SECTION("timed out") {
    all.serve();
    all.takes = 1h;
    CHECK(code_of([&] { all.call(bank); }) == errc::timed_out);
  }
  SECTION("cancelled") {
    all.serve();
    all.takes = 1h;
    auto call = all.steps.spawn(bank.execute<int>("charge", 5));
    all.steps.run();
    call.cancel();
    all.steps.run();
    REQUIRE(call.done());
    CHECK(breaker->current() == circuit_breaker::state::closed);
    return;
  }
  CHECK(breaker->current() == circuit_breaker::state::open);
}

TEST_CASE("a call's deadline is for all attempts, and the server gets the remaining time", "[P7]") {
  remote_bank all;
  all.serve();
  all.fails = 9;
  all.takes = 1s;
  const remote_service bank(all.here, "bank",
                            {.policy = {.retry = {.attempts = 9,
                                                  .backoff = 2s,
                                                  .jitter = 0,
                                                  .kind = msgbus::backoff_kind::constant},
                                        .idempotent = is_any,
                                        .deadline = 8s}});
  // Attempts begin after 0, 3 and 6 s; a fourth one would after 9.
  CHECK(code_of([&] { all.call(bank); }) == errc::remote_failed);
  CHECK(all.left == std::vector<std::optional<duration>>{8s, 5s, 2s});
  CHECK(all.since_start() == 7s);
}

TEST_CASE("a handler's deadline goes on to the remote calls that it awaits", "[P7]") {
  remote_bank all;
  all.serve();
  const remote_service bank(all.here, "bank");
  consumer orders(all.executor());
  orders.handler(
      [&](const int& amount) -> awaitable<void> {
        co_await msgbus::exec::sleep(1s);
        const int charged = co_await bank.execute<int>("charge", amount);
        CHECK(charged == amount);
      },
      {.deadline = 4s});
  SECTION("of its own policy") {
    CHECK(all.clock.run(all.steps, orders.consume(5)) == 1);
    CHECK(all.left == std::vector<std::optional<duration>>{3s});
  }
  SECTION("through a handler in between") {
    consumer first(all.executor());
    first.handler(
        [&](const long& amount) -> awaitable<void> {
          (void)co_await orders.consume(static_cast<int>(amount));
        },
        {.timeout = 2s});
    CHECK(all.clock.run(all.steps, first.consume(5L)) == 1);
    CHECK(all.left == std::vector<std::optional<duration>>{1s});
  }
}

TEST_CASE("without a deadline the server gets none") {
  remote_bank all;
  all.serve();
  const remote_service bank(all.here, "bank");
  CHECK(all.call(bank) == 1);
  CHECK(all.left == std::vector<std::optional<duration>>{std::nullopt});
}

TEST_CASE("a server ends a handler at the deadline of its caller", "[P7]") {
  remote_bank all;
  all.serve();
  all.takes = 1h;
  const remote_service bank(all.here, "bank", {.timeout = 1min, .policy = {.deadline = 2s}});
  auto call = all.steps.spawn(bank.execute<int>("charge", 5));
  all.clock.run_for(all.steps, 2s);
  REQUIRE(call.done());
  CHECK(all.commands.stats().failed == 1);
  CHECK(all.commands.stats().overran == 1);
  CHECK(code_of([&] { call.get(); }) == errc::timed_out);
}

TEST_CASE("a command whose caller waits no longer is not begun", "[P7][B8]") {
  remote_bank all;
  auto served = all.there.serve("bank", {.concurrency = 1}, all.charge);
  all.takes = 3s;
  const remote_service patient(all.here, "bank");
  const remote_service hasty(all.here, "bank", {.policy = {.deadline = 2s}});
  auto first = all.steps.spawn(patient.execute<int>("charge", 1));
  auto second = all.steps.spawn(hasty.execute<int>("charge", 2));
  all.clock.run_for(all.steps, 10s);
  CHECK(first.get() == 1);
  CHECK(code_of([&] { second.get(); }) == errc::timed_out);
  CHECK(all.runs == 1);
  CHECK(served.stats().received == 2);
  CHECK(served.stats().in_flight == 0);
}

TEST_CASE("a call whose handler has no time left is not sent", "[P7]") {
  remote_bank all;
  all.serve();
  const remote_service bank(all.here, "bank");
  consumer orders(all.executor());
  std::string told;
  orders.handler(
      [&](const int& amount) -> awaitable<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await msgbus::exec::sleep(5s);
        std::exception_ptr failure;
        try {
          (void)co_await bank.execute<int>("charge", amount);
        } catch (...) {
          failure = std::current_exception();
        }
        told = failure ? msgbus::describe(failure) : "";
      },
      {.deadline = 4s});
  CHECK(all.clock.run(all.steps, orders.consume(5)) == 1);
  CHECK_THAT(told, contains("'bank.charge' was not called: its deadline is over"));
  CHECK(all.runs == 0);
}

}  // namespace call_policy_test
