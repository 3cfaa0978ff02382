#include <msgbus/detail/observe/time_sample.hpp>

#include "support/catch.hpp"
#include "support/times_clock.hpp"

#include <chrono>

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
