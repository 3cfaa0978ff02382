#include <msgbus/detail/core/type_name.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <string>

namespace shop {

struct user {};
template <class T>
struct created {};
template <class A, class B>
struct both {};

int train_model(int value);
int train_model(int value) { return value; }

inline constexpr auto get_stock = [] { return 5; };

template <class T>
struct store {
  static int add_item(int value) { return value; }
};

}  // namespace shop

int at_top_level(int value);
int at_top_level(int value) { return value; }

namespace type_name_test {
namespace {

// Compilers put spaces at different positions.
std::string compact(std::string_view name) {
  std::string text(name);
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

}  // namespace

TEST_CASE("a type is named as the source spells it") {
  CHECK(msgbus::type_name<int>() == "int");
  CHECK(msgbus::type_name<double>() == "double");
  CHECK(msgbus::type_name<shop::user>() == "shop::user");
  CHECK(msgbus::type_name<shop::created<shop::user>>() == "shop::created<shop::user>");
  CHECK(compact(msgbus::type_name<shop::created<shop::created<int>>>()) ==
        "shop::created<shop::created<int>>");
  CHECK(compact(msgbus::type_name<shop::both<int, shop::user>>()) == "shop::both<int,shop::user>");
  CHECK(compact(msgbus::type_name<const char*>()) == "constchar*");
  CHECK(compact(msgbus::type_name<int&>()) == "int&");
}

TEST_CASE("strings have their usual names") {
  CHECK(msgbus::type_name<std::string>() == "std::string");
  CHECK(msgbus::type_name<std::string_view>() == "std::string_view");
}

TEST_CASE("the name of a type is a constant expression") {
  STATIC_REQUIRE(msgbus::type_name<shop::user>() == "shop::user");
  STATIC_REQUIRE(msgbus::type_name<void>() == "void");
}

TEST_CASE("a function or an object is named as the compiler qualifies it") {
  CHECK(msgbus::detail::entity_name<at_top_level>() == "at_top_level");
  CHECK(msgbus::detail::entity_name<shop::train_model>() == "shop::train_model");
  CHECK(msgbus::detail::entity_name<shop::get_stock>() == "shop::get_stock");
  CHECK(msgbus::detail::entity_name<shop::store<int>::add_item>() == "shop::store<int>::add_item");
}

}  // namespace type_name_test
