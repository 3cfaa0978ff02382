#include <msgbus/detail/observe/line_limiter.hpp>

#include "support/catch.hpp"

namespace line_limiter_test {

using msgbus::detail::line_limiter;
using namespace std::chrono_literals;

namespace {
constexpr line_limiter::time_point start = line_limiter::time_point(100s);
}  // namespace

TEST_CASE(
    "a number of lines is written in a span of time, and the next one has the number of missing "
    "lines") {
  line_limiter limiter;
  CHECK(limiter.admit(start, 2, 1s) == 0u);
  CHECK(limiter.admit(start, 2, 1s) == 0u);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(limiter.admit(start + 999ms, 2, 1s).has_value());
  CHECK(limiter.admit(start + 1s, 2, 1s) == 3u);
  CHECK(limiter.admit(start + 1s, 2, 1s) == 0u);
  CHECK_FALSE(limiter.admit(start + 1s, 2, 1s).has_value());
  CHECK(limiter.take_left_out() == 1);
  CHECK(limiter.take_left_out() == 0);
}

TEST_CASE("without a limit every line is written") {
  line_limiter limiter;
  for (int i = 0; i < 100; ++i) CHECK(limiter.admit(start, 0, 1s) == 0u);
}

}  // namespace line_limiter_test
