#include <msgbus/detail/component/operation_signature.hpp>

#include "support/catch.hpp"

#include <memory>
#include <string>
#include <type_traits>

namespace operation_signature_test {

namespace {

using msgbus::context;
using msgbus::depends;
using msgbus::component::operation_signature;
using msgbus::detail::signature;
using msgbus::detail::type_list;

int get_stock() { return 1; }

// Arguments and injected parameters in any order.
using mixed = operation_signature<
    signature<std::string, int, const context&, std::unique_ptr<int>&&, depends<get_stock>>>;

}  // namespace

TEST_CASE("parameters are split into arguments and injected parameters") {
  STATIC_REQUIRE(std::is_same_v<mixed::inputs, type_list<int, std::unique_ptr<int>&&>>);
  STATIC_REQUIRE(std::is_same_v<mixed::needs, type_list<const context&, depends<get_stock>>>);
  STATIC_REQUIRE(std::is_same_v<mixed::result, std::string>);
  using none = operation_signature<signature<void>>;
  STATIC_REQUIRE(std::is_same_v<none::inputs, type_list<>>);
  STATIC_REQUIRE(std::is_same_v<none::needs, type_list<>>);
}

TEST_CASE("the index of a parameter is counted among parameters of its kind") {
  STATIC_REQUIRE(mixed::index_of<0>() == 0);  // int
  STATIC_REQUIRE(mixed::index_of<1>() == 0);  // context
  STATIC_REQUIRE(mixed::index_of<2>() == 1);  // unique_ptr
  STATIC_REQUIRE(mixed::index_of<3>() == 1);  // depends
}

TEST_CASE("a handler is called with arguments and injected values at their positions") {
  using parts =
      operation_signature<signature<const int*, int, const context&, std::unique_ptr<int>&&>>;
  const auto handler = [](int added, const context& known, std::unique_ptr<int>&& given) {
    *given += added + static_cast<int>(known.attempt());
    return std::as_const(given).get();
  };
  auto owned = std::make_unique<int>(10);
  const int* const address = owned.get();
  int two = 2;
  std::tuple<int&&, std::unique_ptr<int>&&> inputs(std::move(two), std::move(owned));
  std::tuple<const context&> needs(msgbus::detail::no_context);
  CHECK(parts::apply(handler, inputs, needs) == address);  // forwarded, not copied
  CHECK(*address == 13);
}

}  // namespace operation_signature_test
