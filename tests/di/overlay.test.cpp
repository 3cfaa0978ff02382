#include <msgbus/di/overlay.hpp>

#include "support/catch.hpp"

#include <msgbus/sync.hpp>

#include <any>
#include <string>

namespace overlay_test {

namespace di = msgbus::di;
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

using ordered = typename di::in_order<
    msgbus::detail::type_list<>, msgbus::detail::type_list<>,
    msgbus::detail::type_list<di::dependency<both>, di::dependency<number>>>::type;
using overlay =
    di::overlay<ordered, msgbus::detail::type_list<di::dependency<both>, di::dependency<number>>>;

int seven = 7;
int& get_seven() { return seven; }

std::string resolved(const msgbus::provider& overrides) {
  overlay over(overrides.state());
  REQUIRE(over.fits());
  std::string all;
  auto rest = [&](const auto& values) {
    all = *di::value_in<both>(values) + std::to_string(*di::value_in<number>(values));
  };
  over.resolve(rest);
  return all;
}

template <int>
int one() {
  return 1;
}

}  // namespace

TEST_CASE("an overlay fits where every override is direct and all that is needed is there",
          "[I4][I5]") {
  msgbus::provider overrides;
  CHECK_FALSE(overlay(overrides.state()).fits());  // the required number is missing
  overrides.override(number, get_seven);
  CHECK(overlay(overrides.state()).fits());
  SECTION("a value would have to be kept") {
    overrides.override(text, [] { return std::string("other"); });
  }
  SECTION("a need would have to be resolved") {
    overrides.override(text, [](depends<shared> s) -> std::string& { return *s; });
  }
  SECTION("a clean-up would have to be run") {
    overrides.override(shared, [](msgbus::yield<std::string> yield) { yield("x"); });
  }
  CHECK_FALSE(overlay(overrides.state()).fits());
}

TEST_CASE("an overlay calls the defaults that are needed, in order", "[I1][I4]") {
  order.clear();
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  CHECK(resolved(overrides) == "text+shared7");
  CHECK(order == "tb");
}

TEST_CASE("an overlay does not call what only an overridden default needs", "[I1][I4]") {
  order.clear();
  msgbus::provider overrides;
  overrides.override(number, get_seven);
  static std::string mine = "mine";
  overrides.override(both, []() -> std::string& { return mine; });
  CHECK(resolved(overrides) == "mine7");
  CHECK(order.empty());
}

TEST_CASE("more dependencies than an overlay holds are resolved all the same", "[I1][I4]") {
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

TEST_CASE("a default of a type that takes anything gives its own value next to an override",
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
