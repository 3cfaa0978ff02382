#include <msgbus/detail/component/inject.hpp>

#include "support/catch.hpp"

#include <msgbus/error.hpp>
#include <msgbus/provider.hpp>

#include <any>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace inject_test {

namespace component = msgbus::component;
using msgbus::context;
using msgbus::depends;

namespace {

int stored = 3;
int& get_stored() { return stored; }
int get_twice(depends<get_stored> base) { return *base * 2; }
void get_guarded(msgbus::yield<int> yield, depends<get_twice> twice) { yield(*twice + 1); }
void get_failing(msgbus::yield<int> yield) {
  try {
    yield(1);
  } catch (...) {
    throw std::runtime_error("clean-up");
  }
}

struct greedy {
  template <class T>
    requires(!std::same_as<std::remove_cvref_t<T>, greedy>)
  explicit greedy(T&&) : is_from_int(std::same_as<T, int>) {}
  bool is_from_int;
};

const component::requester tester{nullptr, [](const void*) { return std::string("a test"); }};

/// Runs with every way of resolution: without overrides, with direct overrides, and on demand.
template <class... Ps, class Call, class Check>
void in_every_way(Call call, Check check) {
  const context known("some.topic");
  {
    const msgbus::provider none;
    const component::injection with{none.state(), known, tester};
    check(component::injector<Ps...>::run(with, call));
  }
  {
    msgbus::provider direct;
    direct.override(get_stored, get_stored);
    const component::injection with{direct.state(), known, tester};
    check(component::injector<Ps...>::run(with, call));
  }
  {
    msgbus::provider indirect;
    indirect.override(get_stored, [](msgbus::yield<int&> yield) { yield(stored); });
    const component::injection with{indirect.state(), known, tester};
    check(component::injector<Ps...>::run(with, call));
  }
}

}  // namespace

TEST_CASE("every way of resolution gives the handler the same values, and returns its result",
          "[I1][I6]") {
  in_every_way<depends<get_twice>, const context&, depends<get_stored>>(
      [](depends<get_twice> twice, const context& known, depends<get_stored> base) {
        return std::string(known.topic()) + std::to_string(*twice) + std::to_string(*base);
      },
      [](const std::string& result) { CHECK(result == "some.topic63"); });
}

TEST_CASE("results may be references or move-only types, also through clean-ups", "[I2]") {
  in_every_way<depends<get_stored>, depends<get_guarded>>(
      [](depends<get_stored> base, depends<get_guarded>) -> int& { return *base; },
      [](int& result) { CHECK(&result == &stored); });
  in_every_way<depends<get_guarded>>(
      [](depends<get_guarded> guarded) { return std::make_unique<int>(*guarded); },
      [](const std::unique_ptr<int>& result) { CHECK(*result == 7); });
}

TEST_CASE("a handler without dependencies is called without a look-up of overrides", "[I1]") {
  const msgbus::provider none;
  const component::injection with{none.state(), msgbus::detail::no_context, tester};
  auto call = [](const context& known) { return known.attempt(); };
  CHECK(component::injector<const context&>::run(with, call) == 1);
}

TEST_CASE("failures are added to a given list, or thrown together", "[I3]") {
  const msgbus::provider none;
  const component::injection with{none.state(), msgbus::detail::no_context, tester};
  auto call = [](depends<get_failing>) { throw std::logic_error("handler"); };
  msgbus::detail::failures failed;
  component::injector<depends<get_failing>>::run(with, call, &failed);
  REQUIRE(failed.size() == 2);
  CHECK(msgbus::describe(failed[0]) == "handler");
  CHECK(msgbus::describe(failed[1]) == "clean-up");
  CHECK_THROWS_AS(component::injector<depends<get_failing>>::run(with, call),
                  msgbus::dispatch_error);
}

TEST_CASE("a handler's result is kept exactly, also for a type that converts from anything",
          "[I6]") {
  auto as_any = [](depends<get_stored> x) -> std::any { return *x; };
  in_every_way<depends<get_stored>>(as_any, [](const std::any& result) {
    REQUIRE(std::any_cast<int>(&result));
    CHECK(std::any_cast<int>(result) == 3);
  });
  auto as_greedy = [](depends<get_stored>) { return greedy(5); };
  in_every_way<depends<get_stored>>(as_greedy,
                                    [](const greedy& result) { CHECK(result.is_from_int); });
}

}  // namespace inject_test
