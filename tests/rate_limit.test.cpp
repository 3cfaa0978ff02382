#include <msgbus/rate_limit.hpp>

#include <msgbus/error.hpp>
#include <msgbus/retry.hpp>

#include "policy/limiter_access.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

namespace rate_limit_test {

using access = msgbus::detail::limiter_access;
using msgbus_test::text_of;
using kind = access::answer::kind;
using namespace std::chrono_literals;

namespace {
constexpr access::time_point start{1000h};
}  // namespace

TEST_CASE("a rate limit is plain until it has permits or a limiter") {
  CHECK(msgbus::rate_limit{}.is_plain());
  CHECK_FALSE(msgbus::rate_limit{.permits = 1}.is_plain());
  const auto shared = std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1});
  CHECK_FALSE(msgbus::rate_limit{.limiter = shared}.is_plain());
}

TEST_CASE("without a burst, as many permits are given at once as in one period") {
  msgbus::rate_limiter limiter({.permits = 3});
  for (int i = 0; i < 3; ++i) CHECK(access::enter(limiter, start, 0s).result == kind::taken);
  CHECK(access::enter(limiter, start, 0s).result == kind::refused);
}

TEST_CASE("waiting messages are counted, and none overtakes") {
  msgbus::rate_limiter limiter({.permits = 1, .per = 1s});
  CHECK(access::enter(limiter, start, 0s).result == kind::taken);
  // given: two messages in line
  const auto first = access::enter(limiter, start, 10s);
  CHECK(first.result == kind::in_line);
  CHECK(first.after == 1s);
  const auto second = access::enter(limiter, start, 10s);
  CHECK(second.after == 2s);
  CHECK(limiter.waiting() == 2);
  // A permit is available, and waiting messages come first.
  // when: a third one asks
  const auto third = access::enter(limiter, start + 1s, 1s);
  // then: it is refused, and the first in line gets the permit
  CHECK(third.result == kind::refused);
  CHECK(third.after == 2s);
  CHECK(access::take(limiter, start + 1s) == 0s);
  CHECK(access::take(limiter, start + 1s) == 1s);
  access::leave_line(limiter);
  CHECK(limiter.waiting() == 0);
}

TEST_CASE("a limit that could never admit a message is refused when it is made") {
  CHECK(text_of([] { msgbus::rate_limiter({.permits = 0}); }) ==
        "rate_limit::permits is 0, but must be 1 or more");
  const auto shared = std::make_shared<msgbus::rate_limiter>(msgbus::rate_limit{.permits = 1});
  CHECK(text_of([&] { msgbus::rate_limiter({.limiter = shared}); }) ==
        "rate_limit::limiter is set, but must be null for a rate_limiter, which is one itself");
}

TEST_CASE("a message that would wait for longer than it may is refused at once") {
  msgbus::rate_limiter limiter({.permits = 1, .per = 1h});
  CHECK(access::enter(limiter, start, 0s).result == kind::taken);
  const auto given = access::enter(limiter, start, 59min);
  CHECK(given.result == kind::refused);
  CHECK(given.after == 1h);
  CHECK(limiter.waiting() == 0);
}

TEST_CASE("a refusal has the time after which a permit is expected") {
  const auto refusal = access::refusal(1500ms);
  CHECK(msgbus::describe(refusal) == "the rate limit has no permit in time: it would take 1500 ms");
  CHECK(msgbus::retry_after(refusal) == 1500ms);
}

}  // namespace rate_limit_test
