#include <msgbus/name_of.hpp>

#include "support/catch.hpp"

#include <map>
#include <string>
#include <vector>

namespace shop {
struct user {};
template <class T>
struct created {};
struct renamed {};
struct longest_int_of_all {};
}  // namespace shop

template <>
inline constexpr std::string_view msgbus::name_of<shop::renamed> = "shop.user-renamed";

namespace name_of_test {

TEST_CASE("the wire name of a type does not depend on the compiler's spelling") {
  using msgbus::name_of;
  CHECK(name_of<shop::user> == "shop::user");
  CHECK(name_of<shop::created<shop::user>> == "shop::created<shop::user>");
  CHECK(name_of<shop::created<shop::created<shop::user>>> ==
        "shop::created<shop::created<shop::user>>");
  CHECK(name_of<shop::longest_int_of_all> == "shop::longest_int_of_all");
}

TEST_CASE("built-in types have one spelling") {
  using msgbus::name_of;
  CHECK(name_of<int> == "int");
  CHECK(name_of<unsigned> == "unsigned");
  CHECK(name_of<unsigned long> == "unsigned long");
  CHECK(name_of<long long> == "long long");
  CHECK(name_of<shop::created<unsigned long long>> == "shop::created<unsigned long long>");
  CHECK(name_of<shop::created<short>> == "shop::created<short>");
  CHECK(name_of<std::string> == "std::string");
  CHECK(name_of<shop::created<std::string>> == "shop::created<std::string>");
}

TEST_CASE("a given name takes precedence") {
  CHECK(msgbus::name_of<shop::renamed> == "shop.user-renamed");
}

}  // namespace name_of_test
