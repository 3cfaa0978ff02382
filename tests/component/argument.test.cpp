#include <msgbus/detail/component/argument.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>

namespace argument_test {

namespace {

using msgbus::errc;
using msgbus::component::argument;
using msgbus::component::bound_argument;
using msgbus::component::kind_of_result;
using msgbus::component::position;
using msgbus::component::result_of;
using msgbus::component::result_ref;
using msgbus::component::store_result;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

constexpr position here{"update", 2};

/// The value of a parameter of type `P` for the argument.
template <class P, class A>
decltype(auto) passed(A&& given) {
  return bound_argument<P>(argument::of<A>(given), here).get();
}

/// The result of `call`, requested as an `R`.
template <class R, class Call>
R stored(Call call) {
  result_of<R> slot;
  store_result<decltype(call())>(result_ref::to(slot), "update", call);
  return slot.take();
}

}  // namespace

TEST_CASE("an argument records constness and value category") {
  int value = 1;
  const int fixed = 2;
  const argument variable = argument::of<int&>(value);
  CHECK(variable.value.data == &value);
  CHECK_FALSE(variable.is_const);
  CHECK_FALSE(variable.is_rvalue);
  CHECK(argument::of<const int&>(fixed).is_const);
  CHECK(argument::of<int>(value).is_rvalue);
}

TEST_CASE("an argument of the parameter's type is passed directly", "[T5]") {
  int value = 1;
  CHECK(&passed<int&>(value) == &value);
  CHECK(&passed<const int&>(value) == &value);
  auto owned = std::make_unique<int>(3);
  CHECK(*passed<std::unique_ptr<int>>(std::move(owned)) == 3);
  CHECK_FALSE(owned);
}

TEST_CASE("an argument is moved if its caller moves it, and otherwise copied once", "[T5]") {
  using counted = msgbus_test::counted<struct argument_tag>;
  counted::reset();
  counted value(4);
  CHECK(passed<counted>(value).value == 4);
  CHECK(counted::copies == 1);
  CHECK(passed<counted>(std::move(value)).value == 4);
  CHECK(counted::copies == 1);
}

TEST_CASE("an argument converts if nothing is lost", "[T5]") {
  CHECK(passed<long>(7) == 7);
  CHECK(passed<double>(7) == 7.0);
  CHECK(passed<std::string>("text") == "text");
  CHECK(code_of([] { passed<signed char>(300); }) == errc::bad_arguments);
  CHECK_THAT(text_of([] { passed<signed char>(300); }), contains("the value does not fit"));
  CHECK_THAT(text_of([] { passed<int>(std::string("7")); }), contains("without loss"));
}

TEST_CASE("a reference parameter accepts a non-const variable of exactly its type", "[T5]") {
  const int fixed = 1;
  long other = 1;
  CHECK(code_of([&] { passed<int&>(fixed); }) == errc::bad_arguments);
  CHECK(code_of([&] { passed<int&>(other); }) == errc::bad_arguments);
  CHECK(code_of([&] { passed<int&>(1); }) == errc::bad_arguments);
  CHECK_THAT(text_of([&] { passed<int&>(fixed); }), contains("operation 'update': argument 2 is"));
}

TEST_CASE("a result of the requested type is stored without a conversion", "[T5]") {
  int value = 1;
  CHECK(stored<int>([] { return 5; }) == 5);
  CHECK(&stored<int&>([&]() -> int& { return value; }) == &value);
  CHECK(*stored<std::unique_ptr<int>>([] { return std::make_unique<int>(6); }) == 6);
  CHECK(stored<int>([&]() -> int& { return value; }) == 1);
}

TEST_CASE("a result converts if nothing is lost, or is discarded", "[T5]") {
  CHECK(stored<long>([] { return 5; }) == 5);
  CHECK(stored<std::string>([] { return "text"; }) == "text");
  bool called = false;
  stored<void>([&] { return called = true; });
  CHECK(called);
  CHECK(code_of([] { stored<signed char>([] { return 300; }); }) == errc::type_mismatch);
}

TEST_CASE("an impossible result type is refused before the call", "[T5]") {
  bool called = false;
  const auto call = [&] {
    called = true;
    return std::string();
  };
  CHECK(code_of([&] { stored<int>(call); }) == errc::type_mismatch);
  CHECK(code_of([&] { stored<std::string_view>(call); }) == errc::type_mismatch);  // would dangle
  CHECK(code_of([&] { stored<int>([&] { called = true; }); }) == errc::type_mismatch);
  CHECK_FALSE(called);
}

TEST_CASE("a result_kind distinguishes references from values") {
  STATIC_REQUIRE(kind_of_result<int>.value == msgbus::detail::key_of<int>);
  STATIC_REQUIRE(kind_of_result<int&>.value == nullptr);
  STATIC_REQUIRE(kind_of_result<int>.exact != kind_of_result<int&>.exact);
  STATIC_REQUIRE(kind_of_result<void>.discards);
}

}  // namespace argument_test
