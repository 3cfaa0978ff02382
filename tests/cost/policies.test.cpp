// What policies allocate while nothing goes wrong.

#include <msgbus/async.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <memory>
#include <string>

namespace policies_test {

using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

/// Allocations of a thousand posted events, on a thread whose caches are warm.
long cost_of_posts(msgbus::policy how) {
  asio::io_context io{1};
  msgbus::async::consumer events(io.get_executor(), {.capacity = 1000});
  int sum = 0;
  events.handler([&](const numbered& event) { sum += event.n; }, std::move(how));
  const auto thousand = [&] {
    for (int i = 0; i < 1000; ++i) (void)events.post(numbered{1});
    io.restart();
    io.run();
  };
  for (int i = 0; i < 3; ++i) thousand();
  const long before = msgbus_test::allocations;
  thousand();
  const long counted = msgbus_test::allocations - before;
  REQUIRE(sum == 4000);
  return counted;
}

}  // namespace

TEST_CASE("a plain handler behind guards allocates nothing while nothing goes wrong", "[P9]") {
  const long without = cost_of_posts({});
  CHECK(cost_of_posts({.retry = {.attempts = 5}}) <= without);
  CHECK(cost_of_posts({.breaker = std::make_shared<msgbus::circuit_breaker>()}) <= without);
  CHECK(cost_of_posts({.rate_limit = {.permits = 1'000'000}}) <= without);
  CHECK(cost_of_posts({.max_concurrent = 1}) <= without);
  CHECK(cost_of_posts({.timeout = 1h}) <= without);
  CHECK(cost_of_posts({.deadline = 1h}) <= without);
  CHECK(cost_of_posts({.max_concurrent = 2,
                       .breaker = std::make_shared<msgbus::circuit_breaker>(),
                       .retry = {.attempts = 5},
                       .rate_limit = {.permits = 1'000'000},
                       .dead_letters = std::make_shared<msgbus::async::dead_letters>()}) <=
        without);
}

TEST_CASE("a full filter of duplicates allocates nothing for short keys", "[P9]") {
  const auto next = std::make_shared<int>(0);
  const auto key = [next](const msgbus::any_event&) { return std::to_string(++*next); };
  CHECK(
      cost_of_posts({.deadline = 1h, .deduplicate = {.window = 1h, .capacity = 500, .key = key}}) <=
      cost_of_posts({}));
}

TEST_CASE("a coroutine handler behind guards allocates for no message while nothing goes wrong",
          "[P9]") {
  const auto cost = [](msgbus::policy how, bool suspends) {
    asio::io_context io{1};
    msgbus::async::consumer events(io.get_executor(), {.capacity = 1000});
    int sum = 0;
    events.handler(
        [&](const numbered& event) -> asio::awaitable<void> {
          if (suspends) co_await asio::post(asio::use_awaitable);
          sum += event.n;
        },
        std::move(how));
    const auto thousand = [&] {
      for (int i = 0; i < 1000; ++i) (void)events.post(numbered{1});
      io.restart();
      io.run();
    };
    for (int i = 0; i < 3; ++i) thousand();
    const long before = msgbus_test::allocations;
    thousand();
    const long counted = msgbus_test::allocations - before;
    REQUIRE(sum == 4000);
    return counted;
  };
  // A loop posts one look at its timer in a batch of 64.
  const long looks = 1000 / 64 * 4;
  for (const bool suspends : {false, true}) {
    CAPTURE(suspends);
    const long without = cost({}, suspends);
    CHECK(cost({.timeout = 1h}, suspends) <= without + looks);
    CHECK(cost({.deadline = 1h}, suspends) <= without + looks);
    CHECK(cost({.max_concurrent = 2,
                .timeout = 1h,
                .breaker = std::make_shared<msgbus::circuit_breaker>(),
                .retry = {.attempts = 5},
                .rate_limit = {.permits = 1'000'000},
                .dead_letters = std::make_shared<msgbus::async::dead_letters>()},
               suspends) <= without + looks);
  }
}

}  // namespace policies_test
