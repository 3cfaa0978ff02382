#include <msgbus/format.hpp>

#include <msgbus/context.hpp>
#include <msgbus/counters.hpp>
#include <msgbus/dead_letter.hpp>
#include <msgbus/graph.hpp>
#include <msgbus/headers.hpp>
#include <msgbus/log_observer.hpp>
#include <msgbus/options.hpp>

#include "support/catch.hpp"

#include <sstream>
#include <string>

namespace format_test {

namespace {

struct own {
  int value = 0;
};
[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const own& one) {
  return out << one.value;
}

}  // namespace

TEST_CASE("values of the library that a stream prints have a format") {
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::counters>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::receipt>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::drain_options>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::overflow>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::context>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::dead_letter>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::graph_format>);
  STATIC_REQUIRE(msgbus::detail::formattable<msgbus::log_level>);
}

TEST_CASE("types of a program, of the standard library, and containers keep their own formats") {
  STATIC_REQUIRE_FALSE(msgbus::detail::formattable<own>);
  STATIC_REQUIRE_FALSE(msgbus::detail::formattable<std::string>);
  STATIC_REQUIRE_FALSE(msgbus::detail::formattable<int>);
  STATIC_REQUIRE_FALSE(msgbus::detail::formattable<msgbus::headers>);
}

#if defined(__cpp_lib_format)
TEST_CASE("std::format gives the text of a stream, with the format of a string") {
  const msgbus::receipt sent{.admitted = 1};
  std::ostringstream text;
  text << sent;
  CHECK(std::format("{}", sent) == text.str());
  CHECK(std::format("{:>60}", sent) == std::string(60 - text.str().size(), ' ') + text.str());
  CHECK(std::format("{}", msgbus::overflow::reject) == "reject");
}
#endif

}  // namespace format_test
