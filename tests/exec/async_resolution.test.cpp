#include <msgbus/detail/exec/async_resolution.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <stdexcept>

namespace async_resolution_test {

namespace component = msgbus::component;
using msgbus::exec::async_resolution;
using msgbus::exec::async_yielding;
using msgbus::testing::stepping_context;
using msgbus_test::contains;

namespace {

const component::requester tester{nullptr, [](const void*) { return std::string("a test"); }};
const component::dependency_info session{[] { return std::string("session"); }, {}, nullptr, {}};

}  // namespace

TEST_CASE("a dependency hands over its value once, and a second time is an error", "[I5]") {
  stepping_context context;
  const component::provider_state none;
  async_resolution in(none, tester);
  int value = 5;
  int seen = 0;
  void* given = nullptr;
  auto rest = [&](void* const*) -> asio::awaitable<void> {
    seen += *static_cast<int*>(given);
    co_return;
  };
  in.begin({}, rest);
  async_yielding call(in, session, given);
  context.run(call.run(&value));
  CHECK(seen == 5);
  CHECK_NOTHROW(call.ended());
  CHECK_THROWS_WITH(context.run(call.run(&value)), contains("'session' called its yield twice"));
  CHECK(seen == 5);
  CHECK(in.failed().size() == 1);
}

TEST_CASE("a dependency that never hands over its value is an error", "[I5]") {
  const component::provider_state none;
  async_resolution in(none, tester);
  void* given = nullptr;
  const async_yielding call(in, session, given);
  CHECK_THROWS_WITH(call.ended(), contains("returned without calling its yield"));
}

TEST_CASE("a failure inside comes out of the yield, and is recorded", "[I3]") {
  stepping_context context;
  const component::provider_state none;
  async_resolution in(none, tester);
  int value = 5;
  void* given = nullptr;
  auto rest = [](void* const*) -> asio::awaitable<void> {
    throw std::runtime_error("no luck");
    co_return;
  };
  in.begin({}, rest);
  async_yielding call(in, session, given);
  CHECK_THROWS_WITH(context.run(call.run(&value)), "no luck");
  REQUIRE(in.failed().size() == 1);
}

TEST_CASE("nothing needed is provided at once") {
  stepping_context context;
  const component::provider_state none;
  async_resolution in(none, tester);
  bool ran = false;
  auto rest = [&](void* const*) -> asio::awaitable<void> {
    ran = true;
    co_return;
  };
  in.begin({}, rest);
  context.run(in.run());
  CHECK(ran);
}

}  // namespace async_resolution_test
