// The conversion of a handler's result to the requested type.

#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <any>
#include <cstdint>
#include <memory>
#include <string>

namespace service_results_test {

namespace {

using msgbus::errc;
using msgbus::sync::service;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

struct order {
  int id = 0;
};
inline constexpr msgbus::required<order> wanted{"wanted"};

}  // namespace

TEST_CASE("a result of exactly the requested type is returned") {
  service commands;
  commands.handler("order", [] { return order{5}; });
  commands.handler("pointer", [] { return std::make_unique<int>(7); });
  CHECK(commands.execute<order>("order").id == 5);
  CHECK(*commands.execute<std::unique_ptr<int>>("pointer") == 7);
}

TEST_CASE("a result converts if it loses nothing", "[T5]") {
  service commands;
  commands.handler("int", [] { return 200; });
  commands.handler("float", [] { return 1.5F; });
  commands.handler("literal", [] { return "text"; });
  commands.handler("view", [] { return std::string_view("view"); });
  CHECK(commands.execute<std::int64_t>("int") == 200);
  CHECK(commands.execute<std::uint8_t>("int") == 200);
  CHECK(commands.execute<double>("int") == 200.0);
  CHECK(commands.execute<double>("float") == 1.5);
  CHECK(commands.execute<std::string>("literal") == "text");
  CHECK(commands.execute<std::string>("view") == "view");
}

TEST_CASE("a result that does not fit is refused, and the error names its value", "[T5]") {
  service commands;
  commands.handler("int", [] { return 300; });
  commands.handler("null", [] { return static_cast<const char*>(nullptr); });
  const auto ask = [&] { (void)commands.execute<std::uint8_t>("int"); };
  CHECK(code_of(ask) == errc::type_mismatch);
  CHECK_THAT(text_of(ask), contains("operation 'int' returns 300 (int)"));
  CHECK_THAT(text_of(ask), contains("the value does not fit"));
  const auto ask_text = [&] { (void)commands.execute<std::string>("null"); };
  CHECK(code_of(ask_text) == errc::type_mismatch);
  CHECK_THAT(text_of(ask_text), contains("a null pointer"));
}

TEST_CASE("a result of a type that does not convert is refused before the handler runs", "[T5]") {
  service commands;
  int ran = 0;
  // given: operations with several result types
  commands.handler("order", [&] {
    ++ran;
    return order{};
  });
  commands.handler("double", [&] {
    ++ran;
    return 1.0;
  });
  commands.handler("nothing", [&] { ++ran; });
  // when: another type is requested that does not convert
  CHECK(code_of([&] { (void)commands.execute<int>("order"); }) == errc::type_mismatch);
  CHECK(code_of([&] { (void)commands.execute<float>("double"); }) == errc::type_mismatch);
  CHECK(code_of([&] { (void)commands.execute<order>("double"); }) == errc::type_mismatch);
  CHECK(code_of([&] { (void)commands.execute<int>("nothing"); }) == errc::type_mismatch);
  // then: no handler has run, and the error names both types
  CHECK(ran == 0);
  const std::string text = text_of([&] { (void)commands.execute<int>("order"); });
  CHECK_THAT(text, contains("operation 'order' returns " + std::string(msgbus::type_name<order>()) +
                            ", requested as int"));
  CHECK_THAT(text_of([&] { (void)commands.execute<int>("nothing"); }),
             contains("it returns nothing"));
}

TEST_CASE("bad arguments are reported before a bad result type") {
  service commands;
  commands.handler("order", [](int) { return order{}; });
  CHECK(code_of([&] { (void)commands.execute<int>("order", "x"); }) == errc::bad_arguments);
}

TEST_CASE("a reference is returned as a reference, or copied") {
  service commands;
  std::string held = "held";
  const order kept{3};
  commands.handler("held", [&]() -> std::string& { return held; });
  commands.handler("kept", [&]() -> const order& { return kept; });
  CHECK(&commands.execute<std::string&>("held") == &held);
  CHECK(commands.execute<std::string>("held") == "held");
  CHECK(held == "held");
  CHECK(&commands.execute<const order&>("kept") == &kept);
  CHECK(commands.execute<order>("kept").id == 3);
}

TEST_CASE("a result that is an rvalue reference is moved into a requested value", "[D9]") {
  service commands;
  auto held = std::make_unique<int>(6);
  auto take = commands.handler("take", [&]() -> std::unique_ptr<int>&& { return std::move(held); });
  std::unique_ptr<int>&& same = take();
  CHECK(&same == &held);
  CHECK(*commands.execute<std::unique_ptr<int>>("take") == 6);
  CHECK(held == nullptr);
}

TEST_CASE("a requested reference is not bound to a value, nor to another reference", "[T5]") {
  service commands;
  std::string held = "held";
  commands.handler("value", [] { return std::string("value"); });
  commands.handler("held", [&]() -> std::string& { return held; });
  commands.handler("constant", [&]() -> const std::string& { return held; });
  CHECK(code_of([&] { (void)commands.execute<std::string&>("value"); }) == errc::type_mismatch);
  CHECK(code_of([&] { (void)commands.execute<const std::string&>("value"); }) ==
        errc::type_mismatch);
  CHECK(code_of([&] { (void)commands.execute<std::string&>("constant"); }) == errc::type_mismatch);
}

TEST_CASE("a requested view does not refer to a text that its handler returned by value", "[T5]") {
  service commands;
  commands.handler("text", [] { return std::string("text"); });
  commands.handler("view", [] { return std::string_view("view"); });
  CHECK(code_of([&] { (void)commands.execute<std::string_view>("text"); }) == errc::type_mismatch);
  CHECK(commands.execute<std::string_view>("view") == "view");
}

TEST_CASE("a result is never copied", "[D9]") {
  using noted = msgbus_test::counted<struct result>;
  service commands;
  auto make = commands.handler("make", [] { return noted(3); });
  noted::reset();
  CHECK(commands.execute<noted>("make").value == 3);
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 1);
  noted::reset();
  CHECK(make().value == 3);
  CHECK(noted::copies == 0);
  CHECK(noted::moves == 0);
}

TEST_CASE("a reference that is requested as a value is copied once", "[D9]") {
  using noted = msgbus_test::counted<struct referred>;
  service commands;
  const noted held(4);
  commands.handler("held", [&]() -> const noted& { return held; });
  noted::reset();
  CHECK(commands.execute<noted>("held").value == 4);
  CHECK(noted::copies == 1);
}

TEST_CASE("a result of a type that converts from anything is the handler's, with every override",
          "[I4]") {
  service commands;
  auto get =
      commands.handler("get", [](msgbus::depends<wanted> value) -> std::any { return value->id; });
  const auto number_in = [](const std::any& result) {
    const int* const number = std::any_cast<int>(&result);
    return number ? *number : -1;
  };
  order kept{1};
  SECTION("by a reference") {
    commands.override(wanted, [&]() -> order& { return kept; });
  }
  SECTION("by a value") {
    commands.override(wanted, [] { return order{1}; });
  }
  SECTION("by an override that cleans up") {
    commands.override(wanted, [&](msgbus::yield<order&> yield) { yield(kept); });
  }
  CHECK(number_in(get()) == 1);
  CHECK(number_in(commands.execute<std::any>("get")) == 1);
}

}  // namespace service_results_test
