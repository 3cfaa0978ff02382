#include <msgbus/core/duration_option.hpp>

#include "support/catch.hpp"

#include <type_traits>

namespace duration_option_test {

using msgbus::detail::duration_option;
using namespace std::chrono_literals;

TEST_CASE("an option that is a time takes every duration that loses nothing") {
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

TEST_CASE("an option that is a time is a duration") {
  const duration_option limit = 2s;
  const std::chrono::steady_clock::duration plain = limit;
  CHECK(plain == 2s);
  CHECK(limit * 2 == 4s);
  CHECK(std::chrono::duration_cast<std::chrono::milliseconds>(limit).count() == 2000);
  const std::chrono::steady_clock::time_point start{};
  CHECK(start + limit == start + 2s);
}

}  // namespace duration_option_test
