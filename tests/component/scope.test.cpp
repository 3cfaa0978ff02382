#include <msgbus/detail/component/scope.hpp>

#include "support/catch.hpp"

#include <msgbus/detail/component/provider_state.hpp>
#include <msgbus/error.hpp>

#include <stdexcept>
#include <vector>

namespace scope_test {

namespace component = msgbus::component;

namespace {

const component::requester tester{nullptr, [](const void*) { return std::string("a test"); }};

int made = 0;
const int key_of_number = 0;
const int key_of_other = 0;
const int key_of_loop = 0;

template <int Value>
void provide_number(component::scope&, const component::dependency_info&,
                    component::continuation rest) {
  ++made;
  int value = Value;
  rest(&value);
}

const component::dependency_info number{[] { return std::string("number"); }, "int",
                                        &provide_number<5>};
const component::dependency_info missing{[] { return std::string("missing"); }, "int", nullptr};

void provide_other(component::scope& in, const component::dependency_info&,
                   component::continuation rest) {
  in.provide(&key_of_number, number, [&](void* value) {
    int twice = *static_cast<int*>(value) * 2;
    rest(&twice);
  });
}
const component::dependency_info other{[] { return std::string("other"); }, "int", &provide_other};

void provide_loop(component::scope& in, const component::dependency_info&,
                  component::continuation rest);
const component::dependency_info loop{[] { return std::string("loop"); }, "int", &provide_loop};
void provide_loop(component::scope& in, const component::dependency_info&,
                  component::continuation rest) {
  in.provide(&key_of_loop, loop, rest);
}

}  // namespace

TEST_CASE("a scope resolves a dependency once and gives the same value again", "[I1]") {
  const component::provider_state overrides;
  component::scope scope(overrides, tester);
  made = 0;
  int runs = 0;
  // when: a dependency is requested three times, directly and by another one
  scope.provide(&key_of_other, other, [&](void* twice) {
    CHECK(*static_cast<int*>(twice) == 10);
    scope.provide(&key_of_number, number, [&](void* once) {
      CHECK(*static_cast<int*>(once) == 5);
      scope.provide(&key_of_number, number, [&](void* again) {
        CHECK(again == once);
        ++runs;
      });
    });
  });
  // then: it was resolved once
  CHECK(runs == 1);
  CHECK(made == 1);
}

TEST_CASE("a value that a scope resolved is destroyed when its call has returned", "[I2]") {
  const component::provider_state overrides;
  component::scope scope(overrides, tester);
  made = 0;
  const auto ignore = [](void*) {};
  scope.provide(&key_of_number, number, ignore);
  scope.provide(&key_of_number, number, ignore);
  CHECK(made == 2);
}

TEST_CASE("a scope names the missing dependency and the requester", "[I5]") {
  const component::provider_state overrides;
  component::scope scope(overrides, tester);
  const auto never = [](void*) { FAIL("there is no value"); };
  CHECK_THROWS_WITH(
      scope.provide(&key_of_number, missing, never),
      "dependency 'missing' (int) is required by a test, and no override provides it: "
      "call override(...) on the component or its provider");
}

TEST_CASE("a scope names a cycle", "[I5]") {
  const component::provider_state overrides;
  component::scope scope(overrides, tester);
  const auto never = [](void*) { FAIL("there is no value"); };
  CHECK_THROWS_WITH(scope.provide(&key_of_loop, loop, never),
                    "dependency cycle: loop -> loop, required by a test");
}

TEST_CASE("a scope records each failure once", "[I3]") {
  const component::provider_state overrides;
  component::scope scope(overrides, tester);
  const auto failure = std::make_exception_ptr(std::runtime_error("x"));
  scope.run([&] {
    scope.failed(failure);
    std::rethrow_exception(failure);
  });
  CHECK(scope.failed().size() == 1);
  scope.run([] { throw std::runtime_error("y"); });
  CHECK(scope.failed().size() == 2);
  CHECK_THROWS_AS(scope.failed().throw_any(), msgbus::dispatch_error);
}

}  // namespace scope_test
