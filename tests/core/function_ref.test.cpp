#include <msgbus/detail/core/function_ref.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>

namespace function_ref_test {

namespace {

using msgbus::detail::function_ref;

struct doubler {
  int factor = 2;
  int operator()(int value) const { return factor * value; }
};

int apply(function_ref<int(int)> f, int value) { return f(value); }

}  // namespace

TEST_CASE("a function_ref calls the callable itself, not a copy") {
  int calls = 0;
  auto count = [&calls, own = 0](int) mutable { return calls = ++own; };
  const function_ref<int(int)> ref(count);
  ref(0);
  const function_ref<int(int)> copy = ref;
  CHECK(copy(0) == 2);
  CHECK(count(0) == 3);
}

TEST_CASE("a function_ref may refer to a temporary during a call") {
  CHECK(apply([](int value) { return value + 1; }, 4) == 5);
}

TEST_CASE("a function_ref calls a const callable") {
  const doubler twice{};
  CHECK(apply(twice, 21) == 42);
}

TEST_CASE("a function_ref forwards its arguments and its result") {
  const auto take = [](std::unique_ptr<int> p) { return p; };
  const function_ref<std::unique_ptr<int>(std::unique_ptr<int>)> through(take);
  auto given = std::make_unique<int>(7);
  const int* const address = given.get();
  CHECK(through(std::move(given)).get() == address);

  int value = 1;
  const auto same = [](int& i) -> int& { return i; };
  const function_ref<int&(int&)> by_reference(same);
  CHECK(&by_reference(value) == &value);
}

TEST_CASE("a function_ref is constructible only from a matching callable") {
  STATIC_REQUIRE(std::is_constructible_v<function_ref<int(int)>, doubler&>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<function_ref<int(std::string)>, doubler&>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<function_ref<std::string(int)>, doubler&>);
}

}  // namespace function_ref_test
