#include <msgbus/detail/core/durations.hpp>

#include "support/catch.hpp"

#include <type_traits>

namespace durations_test {

using msgbus::detail::duration_option;
using namespace std::chrono_literals;

TEST_CASE("a duration option accepts every duration that converts without loss") {
  struct options {
    duration_option limit = 5ms;
  };
  CHECK(options{}.limit == 5ms);
  CHECK(options{.limit = 2s}.limit == 2s);
  CHECK(options{.limit = 1h}.limit == std::chrono::minutes(60));
  CHECK(duration_option() == duration_option::zero());
  using seconds_of_float = std::chrono::duration<double>;
  CHECK_FALSE(std::is_convertible_v<seconds_of_float, duration_option>);
}

TEST_CASE("a duration option is a duration") {
  const duration_option limit = 2s;
  const std::chrono::steady_clock::duration plain = limit;
  CHECK(plain == 2s);
  CHECK(limit * 2 == 4s);
  CHECK(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count() == 2000);
  const std::chrono::steady_clock::time_point start{};
  CHECK(start + limit == start + 2s);
}

}  // namespace durations_test

namespace saturate_test {

using clock_type = std::chrono::steady_clock;
using duration = clock_type::duration;
using point = clock_type::time_point;
using msgbus::detail::saturating_add;
using msgbus::detail::saturating_sub;
using namespace std::chrono_literals;

namespace {

constexpr point at(std::int64_t count) { return point(duration(count)); }

// No sum of these may overflow. They are constants, so the compiler refuses an overflow too.
static_assert(saturating_add(point::max(), duration::max()) == point::max());
static_assert(saturating_add(point::min(), duration::min()) == point::min());
static_assert(saturating_sub(point::min(), point::max()) == duration::min());
static_assert(saturating_sub(point::max(), point::min()) == duration::max());

}  // namespace

TEST_CASE("a sum of times saturates at the smallest and the largest time") {
  CHECK(saturating_add(at(5), duration(3)) == at(8));
  CHECK(saturating_add(at(5), duration(-7)) == at(-2));
  CHECK(saturating_add(at(5), 2us) == at(2005));
  CHECK(saturating_add(at(0), duration::max()) == point::max());
  CHECK(saturating_add(at(1), duration::max()) == point::max());
  CHECK(saturating_add(at(-1), duration::max()) == point::max() - duration(1));
  CHECK(saturating_add(point::max(), duration(-1)) == point::max() - duration(1));
  CHECK(saturating_add(point::max(), duration::min()) == at(-1));
  CHECK(saturating_add(point::min(), duration::max()) == at(-1));
  CHECK(saturating_add(point::min(), duration(1)) == point::min() + duration(1));
  CHECK(saturating_add(at(0), duration::min()) == point::min());
  CHECK(saturating_add(at(-1), duration::min()) == point::min());
}

TEST_CASE("a difference of times saturates at the longest duration") {
  CHECK(saturating_sub(at(5), at(3)) == duration(2));
  CHECK(saturating_sub(at(3), at(5)) == duration(-2));
  CHECK(saturating_sub(point::max(), at(0)) == duration::max());
  CHECK(saturating_sub(point::max(), at(-1)) == duration::max());
  CHECK(saturating_sub(point::max(), at(1)) == duration::max() - duration(1));
  CHECK(saturating_sub(point::min(), at(0)) == duration::min());
  CHECK(saturating_sub(point::min(), at(1)) == duration::min());
  CHECK(saturating_sub(at(-2), point::max()) == duration::min());
  CHECK(saturating_sub(at(-1), point::max()) == duration::min());
  CHECK(saturating_sub(at(0), point::max()) == duration::min() + duration(1));
  CHECK(saturating_sub(at(0), point::min()) == duration::max());
  CHECK(saturating_sub(at(-1), point::min()) == duration::max());
}

TEST_CASE("one part of a repeated wait lasts at most an hour") {
  const point before = clock_type::now();
  const point until = msgbus::detail::within_an_hour(point::max());
  CHECK(until >= before + 1h);
  CHECK(until <= clock_type::now() + 1h);
  CHECK(msgbus::detail::within_an_hour(point::min()) == point::min());
  CHECK(msgbus::detail::within_an_hour(before) == before);
}

}  // namespace saturate_test
