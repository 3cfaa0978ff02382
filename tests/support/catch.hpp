#pragma once

// Catch2, version 2 or 3. Include this header, and none of Catch2 itself.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace msgbus_test {

/// A matcher for strings that contain `text`. `REQUIRE_THAT(message, contains("orders.placed"))`.
/// Takes the argument of `CHECK_THROWS_WITH` too.
inline auto contains(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}

}  // namespace msgbus_test
