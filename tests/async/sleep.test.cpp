#include <msgbus/async/sleep.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace sleep_test {

using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

TEST_CASE("a sleep ends when the clock of the library has reached its time") {
  stepping_context context;
  manual_clock clock(context);
  auto sleeping = context.spawn(msgbus::async::sleep(1h));
  context.run();
  clock.run_for(context, 59min);
  CHECK_FALSE(sleeping.done());
  clock.run_for(context, 1min);
  CHECK(sleeping.done());
}

TEST_CASE("a sleep without time ends at the next turn") {
  stepping_context context;
  manual_clock clock(context);
  auto none = context.spawn(msgbus::async::sleep(0s));
  auto negative = context.spawn(msgbus::async::sleep(-1h));
  context.run();
  CHECK(none.done());
  CHECK(negative.done());
}

TEST_CASE("a cancelled sleep ends at once", "[A9]") {
  stepping_context context;
  manual_clock clock(context);
  auto sleeping = context.spawn(msgbus::async::sleep(1h));
  context.run();
  sleeping.cancel();
  context.run();
  CHECK(sleeping.done());
  CHECK_THROWS(sleeping.get());
}

}  // namespace sleep_test
