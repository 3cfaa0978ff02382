// The order of a policy's parts: for each two neighbours, what it means that one is around the
// other (docs/guide/26-policies.md).

#include "policy/running.hpp"

namespace order_test {

using asio::awaitable;
using msgbus::circuit_breaker;
using msgbus::errc;
using msgbus::async::dead_letters;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

namespace {

std::string id_of(const msgbus::any_event& event) {
  return std::to_string(event.get_if<placed>()->id);
}

std::shared_ptr<circuit_breaker> breaker_of(std::size_t minimum) {
  return std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = minimum, .open_for = 5s});
}

int resolved = 0;
int counted_value() { return ++resolved; }

}  // namespace

TEST_CASE("dead letters are around deduplication: a duplicate is no letter, a lost key is one",
          "[P1]") {
  running t;
  const auto letters = std::make_shared<dead_letters>();
  t.events.handler([](const placed&) {},
                   {.deduplicate = {.window = 1h,
                                    .key =
                                        [](const msgbus::any_event& event) {
                                          if (event.get_if<placed>()->id == 3) {
                                            throw std::runtime_error("no key");
                                          }
                                          return id_of(event);
                                        }},
                    .dead_letters = letters});
  for (const int id : {1, 1, 3}) (void)t.events.post(placed{id});
  t.context.run();
  REQUIRE(letters->size() == 1);
  CHECK(letters->snapshot()[0].reason == "no key");
  CHECK(letters->snapshot()[0].attempts == 0);
}

TEST_CASE("deduplication is around the rate limit: a duplicate takes no permit", "[P1]") {
  running t;
  std::vector<int> ran;
  t.events.handler(
      [&](const placed& event) { ran.push_back(event.id); },
      {.rate_limit = {.permits = 2, .per = 1h}, .deduplicate = {.window = 1h, .key = id_of}});
  for (const int id : {1, 1, 1, 2}) (void)t.events.post(placed{id});
  t.context.run();
  CHECK(ran == std::vector{1, 2});
}

TEST_CASE("the rate limit is around the deadline: waiting for it is no part of that", "[P1]") {
  running t;
  std::vector<duration> left;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) {
        left.push_back(known.deadline().value() - t.clock.now());
      },
      {.deadline = 5s, .rate_limit = {.permits = 1, .per = 1h}});
  t.post(1, 2);
  t.pass(1h);
  CHECK(left == std::vector<duration>{5s, 5s});
}

TEST_CASE("the deadline is around the retries: it is for all of them together", "[P1]") {
  running t;
  int runs = 0;
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++runs;
        co_await msgbus::exec::sleep(2s);
        throw std::runtime_error("down");
      },
      {.retry = {.attempts = 9, .backoff = 0s}, .deadline = 5s});
  CHECK(code_of([&] { t.consume(); }) == errc::timed_out);
  CHECK(runs == 3);
}

TEST_CASE("the retries are around the breaker: each attempt asks it, and counts for it", "[P1]") {
  running t;
  std::vector<duration> ran;
  t.events.handler(
      [&](const placed&) {
        ran.push_back(t.since_start());
        throw std::runtime_error("down");
      },
      {.breaker = breaker_of(2), .retry = {.attempts = 3, .backoff = 1s, .jitter = 0}});
  t.post(1, 1);
  t.pass(1h);
  // The breaker opens after the second attempt, and the third is its probe.
  CHECK(ran == std::vector<duration>{0s, 1s, 6s});
}

TEST_CASE("the breaker is around the timeout: an attempt that takes too long counts", "[P1]") {
  running t;
  const auto breaker = breaker_of(1);
  t.events.handler([](const placed&) { return msgbus::exec::sleep(1h); },
                   {.timeout = 1s, .breaker = breaker});
  CHECK(code_of([&] { t.consume(); }) == errc::timed_out);
  CHECK(breaker->current() == circuit_breaker::state::open);
}

TEST_CASE("the timeout is around the limit of runs: waiting for a place is part of it", "[P1]") {
  running t({.concurrency = 2});
  std::vector<duration> left;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) -> awaitable<void> {
        left.push_back(known.deadline().value() - t.clock.now());
        co_await msgbus::exec::sleep(2s);
      },
      {.max_concurrent = 1, .timeout = 5s});
  t.post(1, 2);
  t.pass(1h);
  CHECK(left == std::vector<duration>{5s, 3s});
}

TEST_CASE(
    "the limit of runs is around the semaphore: who waits for the one holds none of the other",
    "[P1]") {
  running t({.concurrency = 3});
  const auto shared = std::make_shared<msgbus::async::semaphore>(2);
  t.events.handler([](const placed&) { return msgbus::exec::sleep(2s); },
                   {.max_concurrent = 1, .semaphore = shared});
  t.post(1, 3);
  t.context.run();
  CHECK(shared->available() == 1);
  t.pass(2s);
  CHECK(shared->available() == 1);
}

TEST_CASE("the semaphore is around the executor: nothing runs there without a permit", "[P1]") {
  running t;
  msgbus::testing::stepping_context there;
  const auto shared = std::make_shared<msgbus::async::semaphore>(0);
  int runs = 0;
  t.events.handler([&](const placed&) { ++runs; },
                   {.executor = there.get_executor(), .semaphore = shared});
  t.post(1, 1);
  t.context.run();
  there.run();
  CHECK(runs == 0);
  shared->release();
  t.context.run();
  CHECK(runs == 0);
  there.run();
  t.context.run();
  CHECK(runs == 1);
  CHECK(shared->available() == 1);
}

TEST_CASE("the executor is around the dependencies: they are resolved where the handler runs",
          "[P1]") {
  running t;
  msgbus::testing::stepping_context there;
  resolved = 0;
  t.events.handler([](const placed&, msgbus::depends<counted_value>) {},
                   {.executor = there.get_executor()});
  t.post(1, 1);
  t.context.run();
  CHECK(resolved == 0);
  there.run();
  CHECK(resolved == 1);
  t.context.run();
  CHECK(t.events.stats().handled == 1);
}

TEST_CASE("the limit of runs is around the dependencies: none is resolved without a place",
          "[P1]") {
  running t({.concurrency = 2});
  resolved = 0;
  t.events.handler(
      [](const placed&, msgbus::depends<counted_value>) -> awaitable<void> {
        co_await msgbus::exec::sleep(2s);
      },
      {.max_concurrent = 1});
  t.post(1, 2);
  t.context.run();
  CHECK(resolved == 1);
  t.pass(2s);
  CHECK(resolved == 2);
}

}  // namespace order_test
