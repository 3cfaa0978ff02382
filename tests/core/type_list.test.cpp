#include <msgbus/detail/core/type_list.hpp>

#include "support/catch.hpp"

namespace type_list_test {

namespace {

using msgbus::detail::is_in;
using msgbus::detail::type_list;
using msgbus::detail::unique_list;

}  // namespace

TEST_CASE("a type list has its size and its types") {
  STATIC_REQUIRE(type_list<>::size == 0);
  STATIC_REQUIRE(type_list<int, char, int>::size == 3);
  STATIC_REQUIRE(is_in<char, type_list<int, char>>);
  STATIC_REQUIRE_FALSE(is_in<long, type_list<int, char>>);
  STATIC_REQUIRE_FALSE(is_in<const char, type_list<int, char>>);
  STATIC_REQUIRE_FALSE(is_in<int, type_list<>>);
}

TEST_CASE("a unique list has each type once, at its first position", "[T2]") {
  STATIC_REQUIRE(std::is_same_v<unique_list<>, type_list<>>);
  STATIC_REQUIRE(std::is_same_v<unique_list<int>, type_list<int>>);
  STATIC_REQUIRE(std::is_same_v<unique_list<int, int, int>, type_list<int>>);
  STATIC_REQUIRE(
      std::is_same_v<unique_list<int, char, int, long, char>, type_list<int, char, long>>);
  STATIC_REQUIRE(std::is_same_v<unique_list<int, const int>, type_list<int, const int>>);
}

}  // namespace type_list_test
