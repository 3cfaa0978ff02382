#include <msgbus/detail/component/resolve.hpp>

#include "support/catch.hpp"

#include <string>

namespace resolve_test {

namespace component = msgbus::component;
using component::dependency;
using msgbus::depends;
using msgbus::detail::type_list;

namespace {

std::string order;

int a() {
  order += 'a';
  return 1;
}
int b(depends<a> x) {
  order += 'b';
  return *x + 10;
}
int c(depends<a> x, depends<b> y) {
  order += 'c';
  return *x + *y + 100;
}

template <class... Ps>
using named = typename component::named_by<type_list<Ps...>>::type;

template <class... Ds>
using ordered = typename component::in_order<type_list<>, type_list<>, type_list<Ds...>>::type;

}  // namespace

TEST_CASE("the depends parameters of a list are found, each once", "[I1]") {
  STATIC_REQUIRE(std::is_same_v<named<int, depends<b>, char, depends<a>, const depends<b>&>,
                                type_list<dependency<b>, dependency<a>>>);
  STATIC_REQUIRE(std::is_same_v<named<>, type_list<>>);
}

TEST_CASE("each dependency is ordered once, after its own dependencies", "[I1]") {
  STATIC_REQUIRE(std::is_same_v<ordered<dependency<c>>,
                                type_list<dependency<a>, dependency<b>, dependency<c>>>);
  STATIC_REQUIRE(std::is_same_v<ordered<dependency<b>, dependency<c>, dependency<a>>,
                                type_list<dependency<a>, dependency<b>, dependency<c>>>);
}

TEST_CASE("defaults are called in order, each with earlier values", "[I1]") {
  order.clear();
  auto rest = [](const auto& all) {
    return *component::value_in<a>(all) * 1000000 + *component::value_in<b>(all) * 1000 +
           *component::value_in<c>(all);
  };
  CHECK(component::resolve(nullptr, ordered<dependency<c>>{}, component::no_values{}, rest) ==
        1011112);
  CHECK(order == "abc");
}

}  // namespace resolve_test
