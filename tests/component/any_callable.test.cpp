#include <msgbus/detail/component/any_callable.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>

namespace any_callable_test {

using msgbus::component::any_callable;
using msgbus::component::callable_of;

namespace {

template <class F>
any_callable held(F callable) {
  return any_callable(callable_of<F>, &callable);
}

template <class F>
int call(const any_callable& held) {
  return (*static_cast<F*>(held.get()))();
}

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&&) { throw std::runtime_error("moved"); }
  std::array<std::byte, 100> large{};
};

struct alignas(128) aligned {
  int operator()() const { return value; }
  int value = 7;
};

}  // namespace

TEST_CASE("a type-erased callable is destroyed before its holder", "[D6]") {
  const auto capture = std::make_shared<int>(5);
  auto small = [capture, calls = 0]() mutable { return *capture + ++calls; };
  const any_callable holder = held(small);
  any_callable& held_small = const_cast<any_callable&>(holder);
  CHECK(call<decltype(small)>(held_small) == 6);
  CHECK(call<decltype(small)>(held_small) == 7);
  CHECK(capture.use_count() == 3);
  held_small.destroy();
  CHECK(capture.use_count() == 2);
  held_small.destroy();
  CHECK(capture.use_count() == 2);
}

TEST_CASE("a large callable is stored on the heap, and destroyed too", "[D6]") {
  const auto capture = std::make_shared<int>(5);
  auto large = [capture, more = std::array<int, 100>{}]() mutable { return *capture + ++more[99]; };
  {
    const any_callable holder = held(large);
    CHECK(call<decltype(large)>(holder) == 6);
    CHECK(call<decltype(large)>(holder) == 7);
    CHECK(capture.use_count() == 3);
  }
  CHECK(capture.use_count() == 2);
}

TEST_CASE("a callable is stored at the alignment of its type") {
  const any_callable holder = held(aligned{});
  CHECK(reinterpret_cast<std::uintptr_t>(holder.get()) % alignof(aligned) == 0);
  CHECK(call<aligned>(holder) == 7);
}

TEST_CASE("a callable whose move throws is not stored") {
  throws_when_moved given;
  CHECK_THROWS_AS(any_callable(callable_of<throws_when_moved>, &given), std::runtime_error);
}

}  // namespace any_callable_test
