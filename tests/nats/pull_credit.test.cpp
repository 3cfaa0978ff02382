#include "nats/pull_credit.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <string>

namespace pull_credit_test {

using msgbus::nats::pull_credit;
using action = pull_credit::action;
using found = pull_credit::found;
using namespace std::chrono_literals;

constexpr pull_credit::time_point start{};
constexpr bool there = false;
constexpr bool away = true;

bool took(pull_credit& of, action& next) { return of.take(start, there, next); }

TEST_CASE("a source keeps one request at the server, for all its credit") {
  pull_credit credit(start);
  CHECK(credit.add(10, start, there) == action::request);
  CHECK(credit.requested() == 10);
  CHECK(credit.number() == 1);
  CHECK(credit.add(5, start, there) == action::nothing);
  action next{};
  for (int i = 0; i < 9; ++i) {
    CHECK(took(credit, next));
    CHECK(next == action::nothing);
  }
  CHECK(took(credit, next));
  CHECK(next == action::request);
  CHECK(credit.requested() == 5);
  CHECK(credit.number() == 2);
}

TEST_CASE("a request asks for no more than a server allows") {
  pull_credit credit(start);
  CHECK(credit.add(5000, start, there) == action::request);
  CHECK(credit.requested() == pull_credit::largest_request);
}

TEST_CASE("a message without credit gets a nak") {
  pull_credit credit(start);
  action next = action::look;
  CHECK_FALSE(took(credit, next));
  CHECK(next == action::nothing);
  CHECK(credit.add(1, start, there) == action::request);
  CHECK(took(credit, next));
  CHECK_FALSE(took(credit, next));
}

TEST_CASE("an expired request is sent again for the remaining credit") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  action next{};
  CHECK(took(credit, next));
  CHECK(credit.answered("1", "408", "Request Timeout", start, there) == action::request);
  CHECK(credit.requested() == 2);
  CHECK(credit.number() == 2);
}

TEST_CASE("a heartbeat, and a status of an earlier request, have no effect") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "100", "", start, there) == action::nothing);
  CHECK(credit.requested() == 3);
  CHECK(credit.answered("0", "408", "", start, there) == action::nothing);
  CHECK(credit.requested() == 3);
}

TEST_CASE("a refused source checks that its consumer exists, and tries again later") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "409", "Leadership Change", start, there) == action::look);
  CHECK(credit.is_unsure());
  CHECK(credit.add(1, start, there) == action::nothing);
  CHECK(credit.looked(found::there, "", start, there) == action::try_later);
  CHECK(credit.try_again(start, there) == action::request);
  CHECK(credit.requested() == 4);
  CHECK(credit.try_again(start, there) == action::nothing);
}

TEST_CASE("a repeatedly refused source ends with the last refusal") {
  pull_credit credit(start);
  (void)credit.add(1, start, there);
  for (int i = 1; i < pull_credit::most_refusals; ++i) {
    CHECK(credit.answered(std::to_string(i), "409", "No", start, there) == action::look);
    CHECK(credit.looked(found::there, "", start, there) == action::try_later);
    CHECK(credit.try_again(start, there) == action::request);
  }
  CHECK(credit.answered(std::to_string(pull_credit::most_refusals), "409", "Never", start, there) ==
        action::look);
  CHECK(credit.looked(found::there, "", start, there) == action::end);
  CHECK(credit.why() == "409 Never");
}

TEST_CASE("a message or an expired request shows that a refusal has passed") {
  pull_credit credit(start);
  (void)credit.add(3, start, there);
  CHECK(credit.answered("1", "409", "No", start, there) == action::look);
  action next{};
  CHECK(took(credit, next));
  CHECK(next == action::nothing);  // the check is still pending
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 2);
}

TEST_CASE("a source ends only if its consumer was deleted") {
  pull_credit credit(start);
  (void)credit.add(1, start, there);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.looked(found::unknown, "no answer", start, there) == action::look_later);
  CHECK(credit.look_again(start) == action::look);
  CHECK(credit.looked(found::gone, "consumer not found", start, there) == action::end);
  CHECK(credit.why() == "consumer not found");
}

TEST_CASE("a source whose connection is back asks again for its remaining credit") {
  pull_credit credit(start);
  CHECK(credit.add(4, start, away) == action::nothing);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 4);
  CHECK(credit.connection_is_back(start) == action::look);
  CHECK(credit.requested() == 0);
  CHECK(credit.looked(found::there, "", start, there) == action::request);
  CHECK(credit.requested() == 4);
}

TEST_CASE("a source checks its consumer when the server is silent for too long") {
  pull_credit credit(start);
  CHECK(credit.watch(start + 1h) == action::nothing);  // without credit it watches nothing
  (void)credit.add(1, start, there);
  CHECK(credit.watch(start + pull_credit::silence - 1ms) == action::nothing);
  CHECK(credit.watch(start + pull_credit::silence) == action::look);
  CHECK(credit.requested() == 0);
  CHECK(credit.watch(start + pull_credit::silence + 1s) == action::nothing);
  CHECK(credit.watch(start + 2 * pull_credit::silence) == action::look);
}

TEST_CASE("a stopped source sends no request and takes no message") {
  pull_credit credit(start);
  (void)credit.add(2, start, there);
  CHECK(credit.stop());
  CHECK_FALSE(credit.stop());
  action next{};
  CHECK_FALSE(took(credit, next));
  CHECK(credit.add(1, start, there) == action::nothing);
  CHECK(credit.answered("1", "408", "", start, there) == action::nothing);
  CHECK(credit.connection_is_back(start) == action::nothing);
  CHECK(credit.looked(found::gone, "gone", start, there) == action::nothing);
  CHECK(credit.watch(start + 1h) == action::nothing);
}

}  // namespace pull_credit_test
