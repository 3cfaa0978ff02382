// Handlers behind a rate limit, or with a limit of how many of them run at once.

#include "policy/running.hpp"

namespace running_limits_test {

using asio::awaitable;
using msgbus::errc;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

TEST_CASE("messages wait for the rate limit in their mailbox, in order", "[P2]") {
  running t;
  std::vector<std::pair<int, duration>> ran;
  t.events.handler([&](const placed& event) { ran.emplace_back(event.id, t.since_start()); },
                   {.rate_limit = {.permits = 1, .per = 1s, .burst = 2}});
  t.post(1, 5);
  t.pass(10s);
  CHECK(ran == std::vector<std::pair<int, duration>>{{1, 0s}, {2, 0s}, {3, 1s}, {4, 2s}, {5, 3s}});
  CHECK(t.events.stats().handled == 5);
}

TEST_CASE("an awaited verb waits for the rate limit as long as its deadline says") {
  running t;
  int runs = 0;
  t.events.handler([&](const placed&) { ++runs; },
                   {.deadline = 2s, .rate_limit = {.permits = 1, .per = 1s}});
  std::vector<msgbus::testing::spawned<std::size_t>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(t.context.spawn(t.events.consume(placed{i})));
  t.context.run();
  CHECK(runs == 1);
  // The fourth would wait 3 s: it is told at once, and takes no place in the line.
  CHECK(calls[3].done());
  CHECK(code_of([&] { (void)calls[3].get(); }) == errc::rate_limited);
  t.pass(1s);
  CHECK(runs == 2);
  t.pass(1s);
  CHECK(runs == 3);
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("a verb without a deadline waits for the rate limit as long as it takes") {
  running t;
  t.events.handler([](const placed&) {}, {.rate_limit = {.permits = 1, .per = 1h}});
  CHECK(t.consume() == 1);
  CHECK(t.consume() == 1);
  CHECK(t.since_start() == 1h);
}

TEST_CASE("a cancelled wait for the rate limit gives its place and its permit up", "[P2]") {
  running t;
  const auto limiter =
      std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1, .per = 10s});
  msgbus::async::consumer others(t.context.get_executor());
  int runs = 0;
  t.events.handler([](const placed&) {}, {.rate_limit = {.limiter = limiter}});
  others.handler([&](const placed&) { ++runs; }, {.rate_limit = {.limiter = limiter}});
  t.post(1, 2);
  t.context.run();
  (void)others.post(placed{});
  t.context.run();
  CHECK(limiter->waiting() == 2);
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 1);
  CHECK(limiter->waiting() == 1);
  CHECK(runs == 0);
  t.pass(10s);
  CHECK(runs == 1);
  CHECK(limiter->waiting() == 0);
}

TEST_CASE("a rate limit takes one permit for a message, however many attempts it needs") {
  running t;
  int runs = 0;
  t.events.handler(
      [&](const placed&) {
        if (++runs % 3 != 0) throw std::runtime_error("down");
      },
      {.retry = {.attempts = 3, .backoff = 1ms}, .rate_limit = {.permits = 2, .per = 1h}});
  CHECK(t.consume() == 1);
  CHECK(t.consume() == 1);
  CHECK(t.since_start() < 1s);
}

TEST_CASE("a handler runs no more often at once than it allows", "[P2]") {
  running t({.concurrency = 8});
  int now = 0;
  int most = 0;
  std::vector<int> order;
  t.events.handler(
      [&](const placed& event) -> awaitable<void> {
        order.push_back(event.id);
        most = std::max(most, ++now);
        co_await msgbus::exec::sleep(1s);
        --now;
      },
      {.max_concurrent = 2});
  t.post(1, 8);
  t.pass(4s);
  CHECK(most == 2);
  CHECK(order == std::vector{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(t.events.stats().handled == 8);
}

TEST_CASE("an attempt waits for its place within its timeout, and that uses up no attempt",
          "[P1][P3]") {
  running t({.concurrency = 2});
  std::vector<unsigned> attempts;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) -> awaitable<void> {
        attempts.push_back(known.attempt());
        co_await msgbus::exec::sleep(9s);
      },
      {.max_concurrent = 1, .timeout = 10s, .retry = {.attempts = 2, .backoff = 2s, .jitter = 0}});
  t.post(1, 2);
  t.pass(9s);
  // The second begins after 9 s of its 10, and is cancelled when they are over.
  CHECK(attempts == std::vector{1u, 1u});
  t.pass(1s);
  CHECK(t.events.stats().handled == 1);
  t.pass(11s);
  CHECK(attempts == std::vector{1u, 1u, 2u});
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("an attempt that has found no place in time fails, and does not count for a breaker",
          "[P3]") {
  running t({.concurrency = 2});
  int runs = 0;
  const auto breaker =
      std::make_shared<msgbus::circuit_breaker>(msgbus::breaker_options{.minimum = 1});
  t.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++runs;
        co_await msgbus::async::shielded(msgbus::exec::sleep(10s));
      },
      {.max_concurrent = 1, .timeout = 3s, .breaker = breaker});
  t.post(1, 1);
  t.context.run();
  auto second = t.context.spawn(t.events.consume(placed{2}));
  t.pass(5s);
  REQUIRE(second.done());
  CHECK_THAT(msgbus_test::text_of([&] { (void)second.get(); }),
             msgbus_test::contains("had not begun after 3000 ms"));
  t.pass(5s);
  CHECK(runs == 1);
  CHECK(t.events.stats().handled == 1);
  CHECK(t.events.stats().failed == 1);
  CHECK(breaker->current() == msgbus::circuit_breaker::state::closed);
}

TEST_CASE("a message whose attempts find no permit in time fails after as many of them",
          "[P2][P3]") {
  // The permit is taken for ever. Of plain functions and coroutines, posted and awaited.
  const auto taken = std::make_shared<msgbus::async::semaphore>(0);
  const auto dead = std::make_shared<msgbus::async::dead_letters>();
  const msgbus::policy limited{
      .semaphore = taken,
      .timeout = 2s,
      .retry = {.attempts = 3, .backoff = 1s, .jitter = 0, .kind = msgbus::backoff_kind::constant},
      .dead_letters = dead};
  int runs = 0;
  running plain;
  running coroutine;
  plain.events.handler([&](const placed&) { ++runs; }, limited);
  coroutine.events.handler(
      [&](const placed&) -> awaitable<void> {
        ++runs;
        co_return;
      },
      limited);
  for (running* const t : {&plain, &coroutine}) {
    t->post(1, 1);
    t->pass(8s - 1ms);
    CHECK(t->events.stats().failed == 0);
    t->pass(1ms);
    CHECK(t->events.stats().failed == 1);
    CHECK(code_of([&] { (void)t->consume(); }) == errc::timed_out);
    CHECK(t->since_start() == 16s);
    CHECK(msgbus_test::is_conserved(t->events.stats()));
  }
  CHECK(runs == 0);
  CHECK(dead->size() == 4);
  for (const auto& each : dead->snapshot()) CHECK(each.attempts == 0);
  CHECK(taken->available() == 0);
}

TEST_CASE("waits in vain take nothing from the attempts of a handler that fails", "[P3]") {
  running t;
  const auto permits = std::make_shared<msgbus::async::semaphore>(0);
  std::vector<unsigned> attempts;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) {
        attempts.push_back(known.attempt());
        throw std::runtime_error("down");
      },
      {.semaphore = permits,
       .timeout = 2s,
       .retry = {
           .attempts = 3, .backoff = 1s, .jitter = 0, .kind = msgbus::backoff_kind::constant}});
  t.post(1, 1);
  t.pass(5s);  // two waits, and the third is in its time
  permits->release();
  t.pass(3s);
  CHECK(attempts == std::vector{1u, 2u, 3u});
  CHECK(t.events.stats().failed == 1);
  CHECK(permits->available() == 1);
}

TEST_CASE("a message that waits for its place is abandoned by a drain", "[P2]") {
  running t({.concurrency = 4});
  t.events.handler([](const placed&) { return msgbus::exec::sleep(1h); }, {.max_concurrent = 1});
  t.post(1, 4);
  t.context.run();
  CHECK(t.clock.run(t.context, t.events.drain(1s)).abandoned == 4);
  CHECK(msgbus_test::is_conserved(t.events.stats()));
}

}  // namespace running_limits_test
