#include <msgbus/detail/component/handles.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <functional>
#include <memory>

namespace handles_test {

namespace {

using msgbus::any_event;
using msgbus::one_of;
using msgbus::component::callable_holder;
using msgbus::component::checked;
using msgbus::component::is_variant;
using msgbus::component::named_types;
using msgbus::component::taken_by;
using msgbus::component::takes;
using msgbus::detail::signature;
using msgbus::detail::type_list;

struct order {};
struct refund {};

int get_stock() { return 1; }

// This module does not check for awaitable results.
struct awaitable {
  bool await_ready();
};

template <class F>
using taken_types = decltype(taken_by<F>());

}  // namespace

TEST_CASE("the types that a handler accepts are deduced from its first parameter", "[T2][T4]") {
  STATIC_REQUIRE(std::is_same_v<taken_types<void(const order&)>, type_list<order>>);
  STATIC_REQUIRE(std::is_same_v<taken_types<void(order)>, type_list<order>>);
  STATIC_REQUIRE(std::is_same_v<taken_types<void(const one_of<order, refund, order>&)>,
                                type_list<order, refund>>);
  STATIC_REQUIRE(std::is_same_v<taken_types<void(any_event)>, type_list<>>);
}

TEST_CASE("named types count once, and any_event among them accepts every type", "[T2][T4]") {
  STATIC_REQUIRE(std::is_same_v<named_types<order, const order, refund>, type_list<order, refund>>);
  STATIC_REQUIRE(std::is_same_v<named_types<order, any_event>, type_list<>>);
}

TEST_CASE("a parameter accepts exactly its type, an alternative of its one_of, or every type",
          "[T1][T4]") {
  STATIC_REQUIRE(takes<const order&, order>);
  STATIC_REQUIRE(takes<any_event, order>);
  STATIC_REQUIRE(takes<one_of<order, refund>, refund>);
  STATIC_REQUIRE(takes<const one_of<order, refund>&, order>);
  STATIC_REQUIRE_FALSE(takes<const refund&, order>);
  STATIC_REQUIRE_FALSE(takes<one_of<refund>, order>);
  STATIC_REQUIRE(is_variant<std::variant<order, refund>>);
  STATIC_REQUIRE_FALSE(is_variant<order>);
}

TEST_CASE("a correct signature has its result, its message and its needs") {
  using check = checked<
      signature<awaitable, const order&, const msgbus::context&, msgbus::depends<get_stock>>,
      order>;
  STATIC_REQUIRE(std::is_same_v<check::result, awaitable>);
  STATIC_REQUIRE(std::is_same_v<check::first, const order&>);
  STATIC_REQUIRE(
      std::is_same_v<check::needs, msgbus::component::injector<const msgbus::context&,
                                                               msgbus::depends<get_stock>>>);
}

TEST_CASE("a callable is called in place, and destroyed before its holder", "[D6]") {
  const auto capture = std::make_shared<int>(5);
  callable_holder held([capture, calls = 0]() mutable { return *capture + ++calls; });
  CHECK((*held)() == 6);
  CHECK((*held)() == 7);
  CHECK(capture.use_count() == 2);
  held.destroy();
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a callable that is null or empty is refused") {
  using function = std::function<void()>;
  using pointer = int (*)();
  CHECK(msgbus_test::code_of([] { callable_holder<function> held{function()}; }) ==
        msgbus::errc::bad_arguments);
  CHECK(msgbus_test::code_of([] { callable_holder<pointer> held{pointer()}; }) ==
        msgbus::errc::bad_arguments);
  CHECK_FALSE(msgbus_test::thrown_by([] { callable_holder<pointer> held{pointer(&get_stock)}; }));
}

}  // namespace handles_test
