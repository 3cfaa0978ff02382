#include <msgbus/detail/observe/duration_histogram.hpp>

#include "support/catch.hpp"
#include "support/times_clock.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

namespace duration_histogram_test {

using msgbus::detail::duration_bounds;
using msgbus::detail::duration_buckets;
using msgbus::detail::duration_figures;
using msgbus::detail::duration_histogram;

TEST_CASE("a duration is in the bucket with the first bound that it does not exceed", "[O2]") {
  for (std::size_t i = 0; i < duration_bounds.size(); ++i) {
    duration_histogram of;
    of.add(duration_bounds[i]);
    of.add(duration_bounds[i] + 1);
    const duration_figures all = of.read();
    CHECK(all.buckets[i] == 1);
    CHECK(all.buckets[i + 1] == 1);
    CHECK(all.count() == 2);
    CHECK(all.sum == static_cast<std::uint64_t>(2 * duration_bounds[i] + 1));
  }
}

TEST_CASE("the computed bucket is the one that a search finds, at every bound and power of two",
          "[O2]") {
  const auto searched = [](std::int64_t took) {
    return static_cast<std::size_t>(std::ranges::lower_bound(duration_bounds, took) -
                                    duration_bounds.begin());
  };
  std::vector<std::int64_t> all{0, std::numeric_limits<std::int64_t>::max()};
  for (const std::int64_t each : duration_bounds) all.insert(all.end(), {each - 1, each, each + 1});
  for (int bits = 0; bits < 63; ++bits) {
    const std::int64_t power = std::int64_t{1} << bits;
    all.insert(all.end(), {power - 1, power, power + power / 3});
  }
  for (const std::int64_t each : all) {
    INFO(each);
    CHECK(msgbus::detail::duration_bucket(each) == searched(each));
  }
}

TEST_CASE("the bounds increase from a microsecond to ten seconds") {
  CHECK(std::ranges::is_sorted(duration_bounds));
  CHECK(duration_bounds.front() == 1'000);
  CHECK(duration_bounds.back() == 10'000'000'000);
}

TEST_CASE("no time and less are in the first bucket, and hours in the last") {
  duration_histogram of;
  of.add(0);
  of.add(-5);
  of.add(std::numeric_limits<std::int64_t>::min());
  of.add(3'600'000'000'000);
  const duration_figures all = of.read();
  CHECK(all.buckets.front() == 3);
  CHECK(all.buckets.back() == 1);
  CHECK(all.sum == 3'600'000'000'000);
}

TEST_CASE("durations of several threads are all counted", "[O2]") {
  duration_histogram of;
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 10; ++i) {
      all.emplace_back([&] {
        for (int each = 0; each < 1'000; ++each) of.add(1'500);
      });
    }
  }
  CHECK(of.read().buckets[1] == 10'000);
  CHECK(of.read().sum == 15'000'000);
}

}  // namespace duration_histogram_test

namespace time_sample_test {

using msgbus::detail::is_sampled;

TEST_CASE("one message in n is sampled, at random") {
  CHECK(is_sampled(0));
  CHECK(is_sampled(1));
  int sampled = 0;
  for (int i = 0; i < 100'000; ++i) sampled += is_sampled(10) ? 1 : 0;
  CHECK(sampled > 9'000);
  CHECK(sampled < 11'000);
}

TEST_CASE("the clock is the steady one, unless a test sets another") {
  const auto steady = [] {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  const auto before = steady();
  const auto now = msgbus::detail::times_now();
  CHECK(before <= now);
  CHECK(now <= steady());
  const msgbus_test::times_clock clock;
  const auto first = msgbus::detail::times_now();
  msgbus_test::times_clock::advance(std::chrono::nanoseconds(7));
  CHECK(msgbus::detail::times_now() == first + 7);
}

}  // namespace time_sample_test
