#include <msgbus/policy/backoff.hpp>

#include "support/catch.hpp"

#include <algorithm>

namespace backoff_test {

using msgbus::retry;
using msgbus::detail::backoff_before;
using msgbus::detail::random_part;
using namespace std::chrono_literals;
using duration = std::chrono::steady_clock::duration;

TEST_CASE("a backoff doubles before each attempt, up to its limit") {
  const retry how{.backoff = 100ms, .max_backoff = 1s, .jitter = 0};
  CHECK(backoff_before(2, how, 0.5) == 100ms);
  CHECK(backoff_before(3, how, 0.5) == 200ms);
  CHECK(backoff_before(5, how, 0.5) == 800ms);
  CHECK(backoff_before(6, how, 0.5) == 1s);
  CHECK(backoff_before(1'000'000'000, how, 0.5) == 1s);
}

TEST_CASE("jitter takes away a part of the backoff and never adds to it") {
  const retry how{.backoff = 100ms, .jitter = 0.2};
  CHECK(backoff_before(2, how, 1) == 100ms);
  CHECK(backoff_before(2, how, 0) == 80ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = 1}, 0) == 0ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = 7}, 0) == 0ms);
  CHECK(backoff_before(2, {.backoff = 100ms, .jitter = -7}, 0) == 100ms);
}

TEST_CASE("a random part is from 0 to 1, and differs from draw to draw") {
  double least = 1, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const double drawn = random_part();
    CHECK(drawn >= 0);
    CHECK(drawn <= 1);
    least = std::min(least, drawn);
    most = std::max(most, drawn);
  }
  CHECK(least < 0.1);
  CHECK(most > 0.9);
}

TEST_CASE("the largest and the smallest backoffs do not overflow") {
  const retry endless{
      .backoff = duration::max() / 2 + 1ns, .max_backoff = duration::max(), .jitter = 0};
  CHECK(backoff_before(50, endless, 1) == duration::max());
  CHECK(backoff_before(3, {.backoff = 0ms, .jitter = 0}, 1) == 0ms);
  CHECK(backoff_before(2, {.backoff = 2s, .max_backoff = 1s, .jitter = 0}, 1) == 1s);
  CHECK(backoff_before(9, {.backoff = duration::min()}, 0.5) == 0ms);
  CHECK(backoff_before(9, {.max_backoff = duration::min()}, 0.5) == 0ms);
  CHECK(backoff_before(2, {.backoff = duration::max(), .max_backoff = duration::max()}, 0) > 0ms);
}

}  // namespace backoff_test
