#include <msgbus/dead_letter.hpp>

#include "support/catch.hpp"

#include <type_traits>

namespace dead_letter_test {

TEST_CASE("both families have the same letters, options and counters", "[P8]") {
  CHECK(std::is_same_v<msgbus::async::dead_letter, msgbus::sync::dead_letter>);
  CHECK(std::is_same_v<msgbus::async::dead_letter_options, msgbus::sync::dead_letter_options>);
  CHECK(std::is_same_v<msgbus::async::dead_letter_counters, msgbus::sync::dead_letter_counters>);
  CHECK(msgbus::dead_letter_options().on_full == msgbus::overflow::drop_oldest);
}

}  // namespace dead_letter_test
