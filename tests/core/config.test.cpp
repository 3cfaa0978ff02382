#include <msgbus/detail/core/config.hpp>

#include "support/catch.hpp"

#include <type_traits>

// tests/compile has the compilers that are too old.

namespace msgbus::detail {
struct only_in_config_test {};
}  // namespace msgbus::detail

namespace config_test {

template <class Found>
inline constexpr bool is_internal = std::is_same_v<Found, msgbus::detail::only_in_config_test>;

TEST_CASE("the modules use internal names without a prefix") {
  STATIC_REQUIRE(is_internal<msgbus::async::detail::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::bridging::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::component::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::durable::detail::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::exec::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::routing::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::sync::detail::only_in_config_test>);
  STATIC_REQUIRE(is_internal<msgbus::testing::detail::only_in_config_test>);
}

}  // namespace config_test
