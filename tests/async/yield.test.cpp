#include <msgbus/async/yield.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

namespace yield_test {

namespace component = msgbus::component;
using msgbus::exec::async_resolution;
using msgbus::exec::async_yielding;
using msgbus::testing::stepping_context;

namespace {

const component::requester tester{nullptr, [](const void*) { return std::string("a test"); }};
const component::dependency_info session{[] { return std::string("session"); }, {}, nullptr, {}};

}  // namespace

TEST_CASE("a reference that is yielded is that object, a value is moved in and never copied",
          "[D9][I2]") {
  stepping_context context;
  const component::provider_state none;
  struct tag;
  using value = msgbus_test::counted<tag>;
  value mine(7);
  value::reset();
  const void* seen = nullptr;
  int number = 0;
  void* given = nullptr;
  auto rest = [&](void* const*) -> asio::awaitable<void> {
    seen = given;
    number = static_cast<value*>(given)->value;
    co_return;
  };
  {
    async_resolution in(none, tester);
    in.begin({}, rest);
    async_yielding call(in, session, given);
    const msgbus::async::yield<value&> yield(call);
    context.run(yield(mine));
    CHECK(seen == &mine);
  }
  async_resolution in(none, tester);
  in.begin({}, rest);
  async_yielding call(in, session, given);
  const msgbus::async::yield<value> yield(call);
  context.run(yield(std::move(mine)));
  CHECK(seen != &mine);
  CHECK(number == 7);
  CHECK(value::copies == 0);
}

}  // namespace yield_test
