// What comes and goes must not leave memory behind in what stays.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace streams_test {

TEST_CASE("streams that come and go leave nothing behind in their component") {
  msgbus::testing::stepping_context context;
  msgbus::async::consumer consumer(context.get_executor());
  msgbus::async::subscriber subscriber(context.get_executor());
  const auto come_and_go = [&](int times) {
    for (int i = 0; i < times; ++i) {
      (void)consumer.stream_of<int>();
      (void)subscriber.stream_of<int>("orders.>");
    }
  };
  come_and_go(100);
  const long before = msgbus_test::blocks_kept;
  come_and_go(1000);
  CHECK(msgbus_test::blocks_kept - before < 100);
}

}  // namespace streams_test
