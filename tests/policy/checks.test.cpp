// Values that mean nothing: each is refused where it is given, by an error that names the member,
// the value and what is allowed.

#include "policy/checks.hpp"

#include "policy/running.hpp"

#include <functional>
#include <limits>

namespace checks_test {

using msgbus::breaker_options;
using msgbus::deduplicate;
using msgbus::errc;
using msgbus::policy;
using msgbus::rate_limit;
using msgbus::retry;
using msgbus::async::dead_letter_options;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

std::string refusal(const auto& given) {
  const auto check = [&] { msgbus::detail::check(given); };
  const std::string text = text_of(check);
  if (!text.empty()) CHECK(code_of(check) == errc::bad_arguments);
  return text;
}

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("a retry with a value that means nothing is refused") {
  CHECK(refusal(retry{}).empty());
  CHECK(refusal(retry{.backoff = 0s, .max_backoff = 0s, .jitter = 1}).empty());
  CHECK(refusal(retry{.attempts = 0}) == "retry::attempts is 0, but must be 1 or more");
  CHECK(refusal(retry{.backoff = -1ms}) == "retry::backoff is -1 ms, but must be zero or longer");
  CHECK(refusal(retry{.backoff = 1min}) ==
        "retry::max_backoff is 30 s, but must be at least retry::backoff, which is 1 min");
  CHECK(refusal(retry{.jitter = 1.5}) == "retry::jitter is 1.5, but must be from 0 to 1");
  CHECK(refusal(retry{.jitter = -0.1}) == "retry::jitter is -0.1, but must be from 0 to 1");
  CHECK(refusal(retry{.jitter = no_number}) == "retry::jitter is nan, but must be from 0 to 1");
}

TEST_CASE("a rate limit with a value that means nothing is refused") {
  CHECK(refusal(rate_limit{}).empty());
  CHECK(refusal(rate_limit{.permits = 1}).empty());
  CHECK(refusal(rate_limit{.permits = 1, .per = 0s}) ==
        "rate_limit::per is 0 s, but must be longer than zero");
  CHECK(refusal(rate_limit{.per = -1s}) == "rate_limit::per is -1 s, but must be longer than zero");
  CHECK(refusal(rate_limit{.burst = 20}) ==
        "rate_limit::burst is 20, but must be 0 without rate_limit::permits");
  const auto shared = std::make_shared<msgbus::rate_limiter>(rate_limit{.permits = 1});
  CHECK(refusal(rate_limit{.limiter = shared}).empty());
  CHECK(refusal(rate_limit{.permits = 5, .limiter = shared}) ==
        "rate_limit::permits is 5, but must be 0 beside rate_limit::limiter, which has its own");
  CHECK(refusal(rate_limit{.burst = 5, .limiter = shared}) ==
        "rate_limit::burst is 5, but must be 0 beside rate_limit::limiter, which has its own");
}

TEST_CASE("a deduplication with a value that means nothing is refused") {
  CHECK(refusal(deduplicate{}).empty());
  CHECK(refusal(deduplicate{.capacity = 0}).empty());
  CHECK(refusal(deduplicate{.window = -1s}) ==
        "deduplicate::window is -1 s, but must be zero or longer");
  CHECK(refusal(deduplicate{.window = 1s, .capacity = 0}) ==
        "deduplicate::capacity is 0, but must be 1 or more");
  const auto key = [](const msgbus::any_event&) { return std::string("k"); };
  CHECK(refusal(deduplicate{.window = 1s, .key = key}).empty());
  CHECK(refusal(deduplicate{.key = key}) ==
        "deduplicate::window is 0 s, but must be longer than zero beside deduplicate::key");
}

TEST_CASE("a circuit breaker with a value that means nothing is refused") {
  CHECK(refusal(breaker_options{}).empty());
  CHECK(refusal(breaker_options{.failure_ratio = 1}).empty());
  CHECK(refusal(breaker_options{.failure_ratio = 0}) ==
        "breaker_options::failure_ratio is 0, but must be above 0, and 1 at most");
  CHECK(refusal(breaker_options{.failure_ratio = 50}) ==
        "breaker_options::failure_ratio is 50, but must be above 0, and 1 at most");
  CHECK(refusal(breaker_options{.failure_ratio = no_number}) ==
        "breaker_options::failure_ratio is nan, but must be above 0, and 1 at most");
  CHECK(refusal(breaker_options{.minimum = 0}) ==
        "breaker_options::minimum is 0, but must be 1 or more");
  CHECK(refusal(breaker_options{.sampling = 0s}) ==
        "breaker_options::sampling is 0 s, but must be longer than zero");
  CHECK(refusal(breaker_options{.open_for = -5s}) ==
        "breaker_options::open_for is -5 s, but must be longer than zero");
  CHECK(refusal(breaker_options{.open_for = 2min}) ==
        "breaker_options::max_open_for is 1 min, but must be at least breaker_options::open_for, "
        "which is 2 min");
  CHECK(refusal(breaker_options{.half_open_permits = 0}) ==
        "breaker_options::half_open_permits is 0, but must be 1 or more");
  CHECK(code_of([] { msgbus::circuit_breaker({.minimum = 0}); }) == errc::bad_arguments);
}

TEST_CASE("dead letters without room for one are refused") {
  CHECK(refusal(dead_letter_options{.capacity = 1}).empty());
  CHECK(refusal(dead_letter_options{.capacity = 0}) ==
        "dead_letter_options::capacity is 0, but must be 1 or more");
}

TEST_CASE("a policy is checked before its handler is attached") {
  struct wrong {
    policy how;
    std::string text;
  };
  const std::vector<wrong> all{
      {{.timeout = -2s}, "policy::timeout is -2 s, but must be zero or longer"},
      {{.deadline = -1ms}, "policy::deadline is -1 ms, but must be zero or longer"},
      {{.retry = {.attempts = 0}}, "retry::attempts is 0, but must be 1 or more"},
      {{.rate_limit = {.permits = 1, .per = 0s}},
       "rate_limit::per is 0 s, but must be longer than zero"},
      {{.deduplicate = {.window = 1s, .capacity = 0}},
       "deduplicate::capacity is 0, but must be 1 or more"}};
  running t;
  msgbus::async::subscriber inbox(t.context.get_executor());
  msgbus::async::service service(t.context.get_executor());
  int runs = 0;
  for (const wrong& each : all) {
    CHECK(text_of([&] { t.events.handler([&](const placed&) { ++runs; }, each.how); }) ==
          each.text);
    CHECK(text_of([&] { inbox.subscribe("a", [&](int) { ++runs; }, each.how); }) == each.text);
    CHECK(text_of([&] { service.handler("f", [&] { ++runs; }, each.how); }) == each.text);
    CHECK(text_of([&] { t.events.default_policy(each.how); }) == each.text);
  }
  // then: nothing was attached, and no default was set
  CHECK(t.consume() == 0);
  CHECK(t.clock.run(t.context, inbox.receive(1, "a")) == 0);
  CHECK(service.operations().empty());
  t.events.handler([&](const placed&) { ++runs; });
  CHECK(t.consume() == 1);
  CHECK(runs == 1);
}

TEST_CASE("a default policy does not hide a wrong value of a handler's own") {
  running t;
  t.events.default_policy({.timeout = 2s, .retry = {.attempts = 3}});
  const auto nothing = [](const placed&) {};
  CHECK(code_of([&] { t.events.handler(nothing, {.retry = {.attempts = 0}}); }) ==
        errc::bad_arguments);
  CHECK(code_of([&] { t.events.handler(nothing, {.timeout = -1s}); }) == errc::bad_arguments);
}

TEST_CASE("a semaphore without permits lets a run through when one is released") {
  running t;
  const auto gate = std::make_shared<msgbus::async::semaphore>(0);
  int runs = 0;
  t.events.handler([&](const placed&) { ++runs; }, {.semaphore = gate});
  t.post(1, 1);
  t.context.run();
  CHECK(runs == 0);
  gate->release();
  t.context.run();
  CHECK(runs == 1);
  CHECK(gate->available() == 1);
}

}  // namespace checks_test
