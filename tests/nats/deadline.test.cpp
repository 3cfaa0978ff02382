#include "nats/deadline.hpp"

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace deadline_test {

using msgbus::nats::deadline;
using msgbus::nats::milliseconds;
using msgbus::nats::nanoseconds;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using duration = deadline::duration;
using namespace std::chrono_literals;

TEST_CASE("the longest duration is limited to one that a server can add to a date") {
  CHECK(nanoseconds(5ns) == 5);
  CHECK(nanoseconds(-5ns) == -5);
  CHECK(nanoseconds(30s) == 30'000'000'000);
  const std::chrono::nanoseconds in_2100 = std::chrono::hours(24 * 47482);
  CHECK(duration::max().count() - in_2100.count() > nanoseconds(duration::max()));
  CHECK(nanoseconds(duration::max()) > nanoseconds(std::chrono::hours(24 * 36499)));
}

TEST_CASE("the longest duration is limited to one that nats.c can store") {
  CHECK(milliseconds(2s) == 2000);
  CHECK(milliseconds(1ns) == 1);
  CHECK(milliseconds(duration::zero()) == 1);
  CHECK(milliseconds(duration::min()) == 1);
  CHECK(milliseconds(duration::max()) == 2'147'483'647);
}

TEST_CASE("the earlier of two deadlines counts") {
  stepping_context context;
  manual_clock clock(context);
  const deadline until(context.get_executor(), 10s);
  CHECK(until.left() == 10s);
  CHECK(until.or_sooner(2s).left() == 2s);
  clock.advance(9s);
  CHECK(until.or_sooner(2s).left() == 1s);
  CHECK_FALSE(until.is_over());
  clock.advance(2s);
  CHECK(until.left() == 0s);
  CHECK(until.is_over());
}

}  // namespace deadline_test
