#include <msgbus/detail/policy/token_bucket.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace token_bucket_test {

using msgbus::detail::token_bucket;
using namespace std::chrono_literals;
using duration = token_bucket::duration;

namespace {

int taken_at_once(token_bucket& bucket, token_bucket::time_point now) {
  int taken = 0;
  while (taken < 10'000 && bucket.try_take(now)) ++taken;
  return taken;
}

constexpr token_bucket::time_point start{1000h};

}  // namespace

TEST_CASE("a bucket gives its burst at once, and then a permit in each interval") {
  token_bucket bucket(10, 1s, 3);
  auto now = start;
  CHECK(taken_at_once(bucket, now) == 3);
  CHECK(bucket.until_available(1, now) == 100ms);
  now += 100ms - 1ns;
  CHECK_FALSE(bucket.try_take(now));
  now += 1ns;
  CHECK(taken_at_once(bucket, now) == 1);
  now += 250ms;
  CHECK(taken_at_once(bucket, now) == 2);
}

TEST_CASE("a bucket gives no more than its burst, however long the pause was") {
  token_bucket bucket(10, 1s, 3);
  CHECK(taken_at_once(bucket, start) == 3);
  CHECK(taken_at_once(bucket, start + 10h) == 3);
}

TEST_CASE("the n-th permit from now is known in advance") {
  token_bucket bucket(10, 1s, 3);
  CHECK(bucket.until_available(3, start) == 0s);
  CHECK(bucket.until_available(4, start) == 100ms);
  CHECK(taken_at_once(bucket, start) == 3);
  CHECK(bucket.until_available(5, start) == 500ms);
  CHECK(bucket.until_available(0, start) == 0s);
}

TEST_CASE("a clock that goes back makes nobody wait longer than a full burst") {
  token_bucket bucket(10, 1s, 3);
  CHECK(taken_at_once(bucket, start) == 3);
  CHECK(bucket.until_available(1, start - 100h) == 100ms);
  CHECK_FALSE(bucket.try_take(start - 100h));
  CHECK(bucket.try_take(start - 100h + 100ms));
}

TEST_CASE("a bucket of no permits gives none, and one of no time all") {
  token_bucket none(0, 1s, 5);
  CHECK_FALSE(none.gives_any());
  CHECK_FALSE(none.try_take(start));
  CHECK(none.until_available(1, start) == duration::max());
  token_bucket all(5, 0s, 5);
  CHECK(taken_at_once(all, start) == 10'000);
}

TEST_CASE("the largest times and counts do not overflow") {
  token_bucket rare(1, duration::max(), 1);
  CHECK(rare.try_take(start));
  CHECK_FALSE(rare.try_take(start + 1000h));
  CHECK(rare.until_available(static_cast<std::size_t>(-1), start) == duration::max());
  token_bucket many(static_cast<std::size_t>(-1), 1s, static_cast<std::size_t>(-1));
  CHECK(taken_at_once(many, start) == 10'000);
}

// No window of time sees more than the burst and what came back in it.
TEST_CASE("in random scripts no window gets more than the burst and its share") {
  std::mt19937 random(11);
  for (int script = 0; script < 200; ++script) {
    const std::size_t permits = 1 + random() % 20;
    const std::size_t burst = 1 + random() % 10;
    token_bucket bucket(permits, 1s, burst);
    auto now = start;
    std::vector<token_bucket::time_point> taken;
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::milliseconds(random() % 150);
      for (std::size_t asks = random() % 8; asks != 0; --asks) {
        if (bucket.try_take(now)) taken.push_back(now);
      }
    }
    std::size_t too_many = 0;
    for (std::size_t first = 0; first < taken.size(); ++first) {
      for (std::size_t last = first; last < taken.size(); ++last) {
        const auto came_back = (taken[last] - taken[first]) * static_cast<int>(permits) / 1s;
        if (last - first + 1 > burst + static_cast<std::size_t>(came_back)) ++too_many;
      }
    }
    REQUIRE(too_many == 0);
  }
}

}  // namespace token_bucket_test
