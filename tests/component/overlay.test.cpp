#include <msgbus/detail/component/overlay.hpp>

#include "support/catch.hpp"

#include <msgbus/sync.hpp>

#include <any>
#include <string>

namespace overlay_test {

namespace component = msgbus::component;
namespace bus = msgbus::sync;
using msgbus::depends;

namespace {

std::string order;

std::string text() {
  order += 't';
  return "text";
}
std::string& shared() {
  static std::string value = "shared";
  return value;
}
std::string both(depends<text> a, depends<shared> b) {
  order += 'b';
  return *a + "+" + *b;
}
std::any any_text() { return std::string("any"); }
inline constexpr msgbus::required<int&> number{"number"};

using ordered = typename component::in_order<
    msgbus::detail::type_list<>, msgbus::detail::type_list<>,
    msgbus::detail::type_list<component::dependency<both>, component::dependency<number>>>::type;
using overlay = component::overlay<
    ordered, msgbus::detail::type_list<component::dependency<both>, component::dependency<number>>>;

int seven = 7;
int& get_seven() { return seven; }

std::string resolved(const msgbus::provider& overrides) {
  overlay over(overrides.state());
  REQUIRE(over.fits());
  std::string all;
  auto rest = [&](const auto& values) {
    all = *component::value_in<both>(values) + std::to_string(*component::value_in<number>(values));
  };
  over.resolve(rest);
  return all;
}

std::string destroyed;
struct traced {
  explicit traced(char of) : name(of) {}
  traced(const traced&) = delete;
  traced& operator=(const traced&) = delete;
  ~traced() { destroyed += name; }
  char name;
};
traced get_inner() { return traced{'d'}; }
traced get_outer(depends<get_inner>) { return traced{'o'}; }

template <int>
int one() {
  return 1;
}

}  // namespace

TEST_CASE("an overlay fits if overrides need only earlier dependencies and none is missing",
          "[I4][I5]") {
  msgbus::provider overrides;
  CHECK_FALSE(overlay(overrides.state()).fits());  // the required number is missing
  // given: overrides that need earlier dependencies only
  overrides.override(number, get_seven);
  CHECK(overlay(overrides.state()).fits());
  overrides.override(text, [] { return std::string("other"); });
  overrides.override(both, [](depends<shared> s, depends<text> t) { return *s + *t; });
  CHECK(overlay(overrides.state()).fits());
  // when: another override is added
  SECTION("a reference dependency has no storage for a value") {
    overrides.override(shared, [] { return std::string("other"); });
  }
  SECTION("a need is a later dependency") {
    overrides.override(text, [](depends<shared> s) -> std::string& { return *s; });
  }
  SECTION("a need is no dependency of the handler") {
    overrides.override(both, [](depends<any_text>) { return std::string("x"); });
  }
  SECTION("a dependency needs itself") {
    overrides.override(both, [](depends<both> b) -> std::string& { return *b; });
  }
  SECTION("an override cleans up") {
    overrides.override(shared, [](msgbus::yield<std::string> yield) { yield("x"); });
  }
  // then: the overlay does not fit
  CHECK_FALSE(overlay(overrides.state()).fits());
}

TEST_CASE("an overlay calls the defaults that are needed, in order", "[I1][I4]") {
  order.clear();
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  CHECK(resolved(overrides) == "text+shared7");
  CHECK(order == "tb");
}

TEST_CASE("an overlay does not call a dependency that only an overridden default needs",
          "[I1][I4]") {
  order.clear();
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  static std::string mine = "mine";
  overrides.override(both, []() -> std::string& { return mine; });
  CHECK(resolved(overrides) == "mine7");
  CHECK(order.empty());
}

TEST_CASE("an overlay injects overrides and defaults into other overrides", "[I4]") {
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  overrides.override(both, [](depends<shared> s, depends<text> t) { return *s + "-" + *t; });
  CHECK(resolved(overrides) == "shared-text7");
  overrides.override(text, [] { return "other"; });  // converts to the replaced type
  CHECK(resolved(overrides) == "shared-other7");
}

TEST_CASE("an override that only an overridden dependency would need is not called", "[I1][I4]") {
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  int calls = 0;
  overrides.override(shared, [&]() -> std::string& {
    ++calls;
    return shared();
  });
  overrides.override(both, [] { return std::string("mine"); });
  CHECK(resolved(overrides) == "mine7");
  CHECK(calls == 0);
}

TEST_CASE("values of overrides are destroyed once, in reverse order, also on failure", "[I2][I4]") {
  destroyed.clear();
  bus::consumer consumer;
  // given: a handler with two dependencies
  consumer.handler([](int fail, depends<get_outer> outer) {
    destroyed += outer->name;  // still alive
    if (fail != 0) throw fail;
  });
  // when: one is overridden
  const auto inner = consumer.scoped_override(get_inner, [] { return traced{'i'}; });
  consumer.consume(0);
  CHECK(destroyed == "ooi");
  // when: both are overridden, and the handler fails
  const auto outer =
      consumer.scoped_override(get_outer, [](depends<get_inner> in) { return traced{in->name}; });
  destroyed.clear();
  CHECK_THROWS_AS(consumer.consume(1), int);
  CHECK(destroyed == "iii");
  // when: an override fails
  const auto failing = consumer.scoped_override(
      get_outer, [](depends<get_inner>) -> traced { throw std::string("no"); });
  destroyed.clear();
  CHECK_THROWS_AS(consumer.consume(0), std::string);
  CHECK(destroyed == "i");
}

TEST_CASE("more dependencies than an overlay can hold are resolved too", "[I1][I4]") {
  const auto sum = []<int... Is>(std::integer_sequence<int, Is...>) {
    bus::service service;
    auto add = service.handler("add", [](depends<one<Is>>... each) { return (*each + ...); });
    CHECK(add() == 70);
    int hundred = 100;
    service.override(one<0>, [&]() -> int& { return hundred; });
    CHECK(add() == 169);
    service.override(one<69>, [] { return 1000; });
    CHECK(add() == 1168);
  };
  sum(std::make_integer_sequence<int, 70>{});
}

TEST_CASE("a default of a type that converts from anything keeps its value next to an override",
          "[I1][I4]") {
  bus::consumer consumer;
  std::string seen;
  consumer.handler([&](int, depends<any_text> a, depends<shared> b) {
    const std::string* const text = std::any_cast<std::string>(&*a);
    seen = (text ? *text : "another") + "+" + *b;
  });
  consumer.consume(1);
  CHECK(seen == "any+shared");
  std::string other = "other";
  const auto guard = consumer.scoped_override(shared, [&]() -> std::string& { return other; });
  consumer.consume(1);
  CHECK(seen == "any+other");
}

}  // namespace overlay_test
