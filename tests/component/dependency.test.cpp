#include <msgbus/detail/component/dependency.hpp>

#include "support/catch.hpp"

#include <msgbus/depends.hpp>
#include <msgbus/yield.hpp>

#include <string>

namespace dependency_test {

namespace component = msgbus::component;
using msgbus::depends;
using msgbus::detail::type_list;

namespace {

std::string get_text() { return "text"; }
const std::string& get_constant() {
  static const std::string text = "constant";
  return text;
}
int get_length(depends<get_text> text) { return static_cast<int>(text->size()); }
void open(msgbus::yield<double> yield, depends<get_length>) { yield(1.0); }
inline constexpr msgbus::required<int&> get_number{"number"};
constexpr auto get_object = [](depends<get_number>) { return 'c'; };

template <const auto& D>
using form = component::form_of<std::remove_cvref_t<decltype(D)>>;

}  // namespace

TEST_CASE("the form of a dependency is deduced from its type") {
  STATIC_REQUIRE(form<get_text>::kind == component::shape::plain);
  STATIC_REQUIRE(form<get_object>::kind == component::shape::plain);
  STATIC_REQUIRE(form<open>::kind == component::shape::with_clean_up);
  STATIC_REQUIRE(form<get_number>::kind == component::shape::required);
}

TEST_CASE("the value and the needs of a dependency are deduced from its type") {
  STATIC_REQUIRE(std::is_same_v<form<get_text>::provided, std::string>);
  STATIC_REQUIRE(std::is_same_v<form<open>::provided, double>);
  STATIC_REQUIRE(std::is_same_v<form<get_number>::provided, int&>);
  STATIC_REQUIRE(std::is_same_v<form<get_text>::needs, type_list<>>);
  STATIC_REQUIRE(std::is_same_v<form<open>::needs, type_list<depends<get_length>>>);
  STATIC_REQUIRE(std::is_same_v<form<get_object>::needs, type_list<depends<get_number>>>);
}

TEST_CASE("the value behind depends keeps its constness and loses its reference") {
  STATIC_REQUIRE(std::is_same_v<depends<get_text>::value_type, std::string>);
  STATIC_REQUIRE(std::is_same_v<depends<get_constant>::value_type, const std::string>);
  STATIC_REQUIRE(std::is_same_v<depends<get_number>::value_type, int>);
}

TEST_CASE("a dependency is identified by its address, under every name") {
  const auto through_reference = [](const auto& entity) { return component::identity_of(entity); };
  CHECK(through_reference(get_text) == component::identity_of(get_text));
  CHECK(through_reference(get_number) == static_cast<const void*>(&get_number));
  CHECK(component::identity_of(get_text) != component::identity_of(get_constant));
}

TEST_CASE("depends is distinguished from other parameters, by value and by reference to const") {
  STATIC_REQUIRE(component::is_depends<depends<get_text>>);
  STATIC_REQUIRE(component::is_depends<const depends<get_text>&>);
  STATIC_REQUIRE_FALSE(component::is_depends<std::string>);
}

}  // namespace dependency_test
