// Plain handlers with a policy, which run where their message is taken as long as nothing waits:
// what they are told, and what a coroutine makes of the rest.

#include "policy/running.hpp"

#include <optional>

namespace at_once_test {

using asio::awaitable;
using msgbus::errc;
using msgbus::async::dead_letters;
using msgbus_test::code_of;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

namespace {

/// How long the handler has.
std::optional<duration> left(const running& t, const msgbus::context& known) {
  if (!known.deadline()) return std::nullopt;
  return *known.deadline() - t.clock.now();
}

}  // namespace

TEST_CASE("a plain handler with limits of time runs where its message is taken", "[P1][P7]") {
  running t;
  std::vector<std::optional<duration>> seen;
  const auto note = [&](const placed&, const msgbus::context& known) {
    seen.push_back(left(t, known));
  };
  t.events.handler(note, {.timeout = 4s, .deadline = 10s});
  t.events.handler(note, {.timeout = 10s, .deadline = 4s});
  t.events.handler(note, {.deadline = 3s});
  t.post(1, 1);
  CHECK(t.context.step());
  CHECK(seen == std::vector<std::optional<duration>>{4s, 4s, 3s});
  CHECK(t.events.stats().handled == 1);
  CHECK(t.clock.waiting() == 0);
}

TEST_CASE("a plain handler with a deadline that never comes has none", "[P7]") {
  running t;
  std::vector<std::optional<duration>> seen;
  const auto note = [&](const placed&, const msgbus::context& known) {
    seen.push_back(left(t, known));
  };
  t.events.handler(note, {.deadline = msgbus::forever});
  t.events.handler(note, {.retry = {.attempts = 2}, .deadline = msgbus::forever});
  CHECK(t.consume() == 2);
  CHECK(seen == std::vector<std::optional<duration>>{std::nullopt, std::nullopt});
}

TEST_CASE("the deadline of a plain handler begins with its first attempt", "[P1][P7]") {
  running t;
  std::vector<std::optional<duration>> seen;
  t.events.handler(
      [&](const placed&, const msgbus::context& known) {
        seen.push_back(left(t, known));
        t.clock.advance(6s);
        if (known.attempt() == 1) throw std::runtime_error("down");
      },
      {.retry = {.attempts = 3, .backoff = 1s, .jitter = 0}, .deadline = 10s});
  CHECK(t.consume() == 1);
  CHECK(seen == std::vector<std::optional<duration>>{10s, 3s});
  CHECK(t.events.stats().overran == 1);
  CHECK(t.events.stats().handled == 1);
}

TEST_CASE("a plain handler that fails too late has failed for that reason, for its breaker too",
          "[P1]") {
  running t;
  std::vector<std::string> reasons;
  const auto breaker = std::make_shared<msgbus::circuit_breaker>(
      msgbus::breaker_options{.minimum = 1, .counts = [&](const std::exception_ptr& why) {
                                reasons.push_back(msgbus::describe(why));
                                return true;
                              }});
  t.events.handler(
      [&](const placed&) {
        t.clock.advance(6s);
        throw std::bad_alloc();
      },
      {.timeout = 5s, .breaker = breaker});
  CHECK(code_of([&] { t.consume(); }) == errc::timed_out);
  CHECK(breaker->current() == msgbus::circuit_breaker::state::open);
  REQUIRE(reasons.size() == 1);
  CHECK_THAT(reasons[0], msgbus_test::contains("was not done after 5000 ms"));
}

TEST_CASE("a plain handler gets the deadline of the handler that awaits it", "[P7]") {
  running t;
  msgbus::async::consumer inner(t.context.get_executor());
  std::vector<std::optional<duration>> seen;
  const auto note = [&](const placed&, const msgbus::context& known) {
    seen.push_back(left(t, known));
  };
  inner.handler(note, {.deadline = 10s});
  inner.handler(note, {.timeout = 1s});
  inner.handler(note, {.breaker = std::make_shared<msgbus::circuit_breaker>()});
  inner.handler([](const placed&) -> awaitable<void> { co_await msgbus::exec::sleep(500ms); });
  inner.handler(note, {.deadline = 10s});
  t.events.handler(
      [&](const placed& event) -> awaitable<void> { (void)co_await inner.consume(event); },
      {.deadline = 2s});
  CHECK(t.consume() == 1);
  CHECK(seen == std::vector<std::optional<duration>>{2s, 1s, 2s, 1500ms});
  seen.clear();
  CHECK(t.clock.run(t.context, inner.consume(placed{})) == 5);
  CHECK(seen == std::vector<std::optional<duration>>{10s, 1s, std::nullopt, 10s});
}

TEST_CASE("the key of a message is made once, also if it waits for its twin", "[P2]") {
  running t({.concurrency = 2});
  int keys = 0, runs = 0;
  t.events.handler(
      [&](const placed&) {
        if (++runs == 1) throw std::runtime_error("down");
      },
      {.retry = {.attempts = 2, .backoff = 5s, .jitter = 0},
       .deduplicate = {.window = 1h, .key = [&](const msgbus::any_event&) {
                         ++keys;
                         return std::string("the same");
                       }}});
  t.post(1, 2);
  t.pass(4s);
  CHECK(runs == 1);
  CHECK(t.events.stats().handled == 0);
  t.pass(2s);
  CHECK(runs == 2);
  CHECK(keys == 2);
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("a key that is in flight is given back, whatever becomes of its message", "[P2][A12]") {
  running t;
  const auto letters = std::make_shared<dead_letters>();
  int runs = 0;
  std::vector<int> failing = {1, 2};
  t.events.handler(
      [&](const placed& event) {
        ++runs;
        if (std::erase(failing, event.id) != 0) throw std::runtime_error("down");
      },
      {.deduplicate = {.window = 1h,
                       .key =
                           [](const msgbus::any_event& event) {
                             return std::to_string(event.get_if<placed>()->id);
                           }},
       .dead_letters = letters});
  for (const int id : {1, 1, 2, 2}) (void)t.events.post(placed{id});
  t.context.run();
  CHECK(runs == 4);
  CHECK(letters->size() == 2);
  CHECK(t.events.stats().failed == 2);
  CHECK(t.events.stats().handled == 2);
  (void)t.events.post(placed{1});
  t.context.run();
  CHECK(runs == 4);
}

TEST_CASE("a plain operation with a policy runs where its command is taken", "[P1][P7]") {
  running t;
  msgbus::async::service service(t.context.get_executor());
  std::optional<duration> seen;
  bool is_down = false;
  service.handler("charge",
                  [&](std::string name, const msgbus::context& known) {
                    seen = left(t, known);
                    if (std::exchange(is_down, false)) throw std::runtime_error("down");
                    return name + "!";
                  },
                  {.timeout = 2s, .retry = {.attempts = 2, .backoff = 1s}});
  (void)service.post("charge", "Alice");
  CHECK(t.context.step());
  CHECK(service.stats().handled == 1);
  CHECK(seen == 2s);
  is_down = true;
  CHECK(t.clock.run(t.context, service.execute<std::string>("charge", "Bob")) == "Bob!");
  CHECK(code_of([&] { t.clock.run(t.context, service.execute<std::string>("charge", 1)); }) ==
        errc::bad_arguments);
  CHECK(service.stats().failed == 1);
}

}  // namespace at_once_test
