#include <msgbus/sync/policy.hpp>

#include <msgbus/any_event.hpp>
#include <msgbus/depends.hpp>
#include <msgbus/error.hpp>
#include <msgbus/failure.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace policy_test {

using msgbus::circuit_breaker;
using msgbus::errc;
using msgbus_test::code_of;
using msgbus_test::failing;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

struct placed {
  int id = 0;
};
struct other {};

int resolved = 0;
int counted_value() { return ++resolved; }

}  // namespace

TEST_CASE("a sync handler is repeated at once, each time with new dependencies", "[I1]") {
  msgbus::sync::consumer consumer;
  failing twice(2);
  resolved = 0;
  std::vector<unsigned> attempts;
  consumer.handler(
      [&](const placed&, msgbus::depends<counted_value>, const msgbus::context& known) {
        attempts.push_back(known.attempt());
        twice.run();
      },
      {.retry = {.attempts = 3}});
  CHECK(consumer.consume(placed{}) == 1);
  CHECK(attempts == std::vector{1u, 2u, 3u});
  CHECK(resolved == 3);
}

TEST_CASE("the failure of the last attempt of a sync handler is thrown", "[P4]") {
  msgbus::sync::consumer consumer;
  failing often(9);
  consumer.handler([&](const placed&) { often.run(); }, {.retry = {.attempts = 3}});
  CHECK(text_of([&] { consumer.consume(placed{}); }) == "no 3");
  failing misused(9);
  consumer.handler(
      [&](const other&) {
        ++misused.runs;
        throw msgbus::error(errc::not_provided, "nothing");
      },
      {.retry = {.attempts = 3}});
  CHECK(code_of([&] { consumer.consume(other{}); }) == errc::not_provided);
  CHECK(misused.runs == 1);
}

TEST_CASE("a sync handler behind an open breaker is refused", "[P1]") {
  msgbus::sync::consumer consumer;
  failing often(9);
  const auto breaker = std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = 2, .open_for = 1h, .max_open_for = 1h, .name = "bank"});
  // given: a failing handler with a breaker, and one without
  consumer.handler([&](const placed&) { often.run(); }, {.breaker = breaker});
  int others = 0;
  consumer.handler([&](const placed&) { ++others; });
  // when: the breaker opens after two failures
  CHECK_THROWS(consumer.consume(placed{}));
  CHECK_THROWS(consumer.consume(placed{}));
  CHECK(breaker->current() == circuit_breaker::state::open);
  // then: the handler does not run, and the other one does
  CHECK(code_of([&] { consumer.consume(placed{}); }) == errc::circuit_open);
  CHECK(often.runs == 2);
  CHECK(others == 3);
  // when: the breaker is reset
  breaker->reset();
  often.left = 0;
  CHECK(consumer.consume(placed{}) == 2);
}

TEST_CASE("retries of a sync handler stop when its breaker opens", "[P1][P3]") {
  msgbus::sync::consumer consumer;
  failing often(9);
  const auto breaker = std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = 2, .open_for = 1h, .max_open_for = 1h});
  consumer.handler([&](const placed&) { often.run(); },
                   {.breaker = breaker, .retry = {.attempts = 9}});
  CHECK(code_of([&] { consumer.consume(placed{}); }) == errc::circuit_open);
  CHECK(often.runs == 2);
}

TEST_CASE("a sync handler takes one permit of its rate limit for all attempts", "[P1]") {
  msgbus::sync::consumer consumer;
  failing once(1);
  const auto limiter =
      std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1, .per = 1h});
  consumer.handler([&](const placed&) { once.run(); },
                   {.retry = {.attempts = 2}, .rate_limit = {.limiter = limiter}});
  CHECK(consumer.consume(placed{}) == 1);
  CHECK(code_of([&] { consumer.consume(placed{}); }) == errc::rate_limited);
  CHECK(once.runs == 2);
}

TEST_CASE("sync handlers of any event and of several types may have a policy", "[T4]") {
  msgbus::sync::consumer consumer;
  failing once(1);
  std::vector<std::string> names;
  consumer.handler(
      [&](const msgbus::any_event& event) {
        once.run();
        names.emplace_back(event.name());
      },
      {.retry = {.attempts = 2}});
  int generic = 0;
  consumer.handler<placed, other>([&](const auto&) { ++generic; }, {.retry = {.attempts = 2}});
  CHECK(consumer.consume(placed{}) == 2);
  CHECK(consumer.consume(other{}) == 2);
  CHECK(names.size() == 2);
  CHECK(generic == 2);
  CHECK(once.runs == 3);
}

TEST_CASE("a sync subscriber's handlers may have a policy, conversions included", "[T5]") {
  msgbus::sync::subscriber inbox;
  failing once(1);
  std::vector<std::string> seen;
  inbox.subscribe("names.*",
                  [&](const std::string& name, const msgbus::context& known) {
                    once.run();
                    seen.push_back(name + " on " + std::string(known.topic()));
                  },
                  {.retry = {.attempts = 2}});
  CHECK(inbox.receive(std::string("Alice"), "names.new") == 1);
  CHECK(inbox.receive("Bob", "names.old") == 1);
  CHECK(seen == std::vector<std::string>{"Alice on names.new", "Bob on names.old"});
  CHECK(code_of([&] { inbox.receive(7, "names.new"); }) == errc::type_mismatch);
  CHECK(once.runs == 3);
}

TEST_CASE("a sync handler handles a message once whose key came before", "[P1][P2]") {
  msgbus::sync::consumer consumer;
  failing once(1);
  const auto key = [](const msgbus::any_event& event) {
    const auto* const order = event.get_if<placed>();
    return order && order->id != 0 ? std::to_string(order->id) : std::string();
  };
  // Three permits: duplicates take none.
  consumer.handler([&](const placed&) { once.run(); },
                   {.rate_limit = {.permits = 3, .per = 1h},
                    .deduplicate = {.window = 1h, .capacity = 1, .key = key}});
  // when: the first fails, it is forgotten
  CHECK_THROWS_AS(consumer.consume(placed{1}), std::runtime_error);
  CHECK(consumer.consume(placed{1}) == 1);
  CHECK(once.runs == 2);
  // when: it comes again, it counts as handled
  CHECK(consumer.consume(placed{1}) == 1);
  CHECK(once.runs == 2);
  // A message without a key is no duplicate, and takes the last permit.
  CHECK(consumer.consume(placed{}) == 1);
  CHECK(once.runs == 3);
  CHECK(code_of([&] { consumer.consume(placed{}); }) == errc::rate_limited);
  CHECK(code_of([&] { consumer.consume(placed{2}); }) == errc::rate_limited);
  CHECK(consumer.consume(placed{1}) == 1);
}

TEST_CASE("a sync message does not wait for its twin", "[P2]") {
  msgbus::sync::consumer consumer;
  std::string text;
  consumer.handler(
      [&](const placed& order) {
        if (text.empty()) text = text_of([&] { consumer.consume(order); });
      },
      {.deduplicate = {.window = 1h, .key = [](const msgbus::any_event&) { return "one"; }}});
  CHECK(consumer.consume(placed{}) == 1);
  CHECK_THAT(text, msgbus_test::contains("placed with the key 'one' is being handled"));
  CHECK(consumer.consume(placed{}) == 1);
}

TEST_CASE("a sync operation has no deduplication", "[P2]") {
  msgbus::sync::service service;
  const auto text =
      text_of([&] { (void)service.handler("add", [](int) {}, {.deduplicate = {.window = 1h}}); });
  CHECK_THAT(text, msgbus_test::contains("operation 'add' cannot have deduplicate"));
}

}  // namespace policy_test
