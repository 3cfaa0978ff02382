#include <msgbus/detail/bridge/settle.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace settle_test {

using msgbus::bridging::hand_back_pause;
using msgbus::bridging::is_failure;
using msgbus::bridging::redelivery_rule;
using msgbus::bridging::settle;
using msgbus::bridging::settlement;
using msgbus::bridging::settling;
using msgbus::detail::outcome;
using namespace std::chrono_literals;

namespace {

constexpr redelivery_rule rule{
    .max_deliver = 3, .backoff = 100ms, .max_backoff = 250ms, .jitter = 0.5};

}  // namespace

TEST_CASE("a handled message is done") {
  CHECK(settle(outcome::handled, 1, 1, rule, 0.5) == settlement{settling::ack, {}});
  CHECK(settle(outcome::handled, 2, 9, rule, 0.5) == settlement{settling::ack, {}});
}

TEST_CASE("a message without a handler is not done, and is redelivered") {
  CHECK(settle(outcome::handled, 0, 1, rule, 1).action == settling::nak);
  CHECK(settle(outcome::handled, 0, 3, rule, 1).action == settling::dead_letter);
}

TEST_CASE("a failed message is redelivered after a pause that doubles up to a limit") {
  CHECK(settle(outcome::failed, 1, 1, rule, 1) == settlement{settling::nak, 100ms});
  CHECK(settle(outcome::failed, 1, 2, rule, 1) == settlement{settling::nak, 200ms});
  redelivery_rule longer = rule;
  longer.max_deliver = 0;
  CHECK(settle(outcome::failed, 1, 3, longer, 1) == settlement{settling::nak, 250ms});
  CHECK(settle(outcome::failed, 1, 1000, longer, 1) == settlement{settling::nak, 250ms});
}

TEST_CASE("the random part of a pause is no more than the jitter") {
  CHECK(settle(outcome::failed, 1, 1, rule, 0) == settlement{settling::nak, 50ms});
  CHECK(settle(outcome::failed, 1, 1, rule, 0.5) == settlement{settling::nak, 75ms});
}

TEST_CASE("a message with the last allowed failure is dead-lettered") {
  CHECK(settle(outcome::failed, 1, 3, rule, 1).action == settling::dead_letter);
  CHECK(settle(outcome::failed, 1, 4, rule, 1).action == settling::dead_letter);
}

TEST_CASE(
    "a message that a closing process abandons goes to another one immediately, however often") {
  CHECK(settle(outcome::abandoned, 0, 1, rule, 1) == settlement{settling::nak, 0ns});
  CHECK(settle(outcome::abandoned, 1, 7, rule, 1) == settlement{settling::nak, 0ns});
}

TEST_CASE("a message that a full mailbox dropped is redelivered, and never dead-lettered for it") {
  CHECK(settle(outcome::dropped, 0, 1, rule, 1) == settlement{settling::nak, 100ms});
  CHECK(settle(outcome::dropped, 0, 30, rule, 1) == settlement{settling::nak, 250ms});
}

TEST_CASE(
    "a message that a full mailbox dropped is redelivered after a pause, also where failures have "
    "none") {
  redelivery_rule at_once = rule;
  at_once.backoff = 0ms;
  CHECK(settle(outcome::failed, 1, 1, at_once, 1) == settlement{settling::nak, 0ms});
  CHECK(settle(outcome::dropped, 0, 1, at_once, 1) == settlement{settling::nak, 10ms});
  CHECK(hand_back_pause(0ms) == 10ms);
  CHECK(hand_back_pause(1s) == 1s);
}

TEST_CASE("only a handler that failed, or that is missing, is a failure", "[B3]") {
  CHECK(is_failure(outcome::failed, 1));
  CHECK(is_failure(outcome::handled, 0));
  CHECK_FALSE(is_failure(outcome::handled, 1));
  CHECK_FALSE(is_failure(outcome::abandoned, 0));
  CHECK_FALSE(is_failure(outcome::abandoned, 1));
  CHECK_FALSE(is_failure(outcome::dropped, 0));
}

}  // namespace settle_test
