#include "transport/nats/durations.hpp"

#include "support/catch.hpp"

#include <chrono>

namespace durations_test {

using msgbus::nats::milliseconds;
using msgbus::nats::nanoseconds;
using msgbus::transport::duration;
using namespace std::chrono_literals;

TEST_CASE("the longest duration is one that a server can add to a date") {
  CHECK(nanoseconds(5ns) == 5);
  CHECK(nanoseconds(-5ns) == -5);
  CHECK(nanoseconds(30s) == 30'000'000'000);
  const std::chrono::nanoseconds in_2100 = std::chrono::hours(24 * 47482);
  CHECK(duration::max().count() - in_2100.count() > nanoseconds(duration::max()));
  CHECK(nanoseconds(duration::max()) > nanoseconds(std::chrono::hours(24 * 36499)));
}

TEST_CASE("the longest duration is one that nats.c can keep") {
  CHECK(milliseconds(2s) == 2000);
  CHECK(milliseconds(1ns) == 1);
  CHECK(milliseconds(duration::zero()) == 1);
  CHECK(milliseconds(duration::min()) == 1);
  CHECK(milliseconds(duration::max()) == 2'147'483'647);
}

}  // namespace durations_test
