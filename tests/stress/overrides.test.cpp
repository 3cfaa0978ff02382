// Overrides that come and go while handlers use them (I4, D7).

#include <msgbus/sync.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

namespace overrides_test {

namespace bus = msgbus::sync;
using msgbus_test::expect;
using msgbus_test::rounds;
using msgbus_test::thread_group;

namespace {

struct ping {};

int default_value = 1;
int& get_value() { return default_value; }
int twice_value(msgbus::depends<get_value> value) { return *value * 2; }

}  // namespace

TEST_CASE("the value of an override may be freed when the override was restored", "[I4][D7]") {
  bus::consumer consumer;
  consumer.handler(
      [](const ping&, msgbus::depends<get_value> value, msgbus::depends<twice_value> twice) {
        expect(*value > 0, "the value is alive");
        expect(*twice == 2 * *value, "one invocation sees one value");
      });
  thread_group dispatching;
  for (int i = 0; i < 3; ++i) dispatching.repeat([&] { consumer.consume(ping{}); });
  for (int round = 0; round < rounds(300); ++round) {
    auto value = std::make_unique<int>(round + 2);
    {
      const auto guard = consumer.scoped_override(get_value, [&]() -> int& { return *value; });
      if (round % 8 == 0) dispatching.wait_for_turns(2);
    }
    *value = -1;
    value.reset();
  }
  dispatching.stop();
}

TEST_CASE("the same holds for overrides that clean up and for those that need something",
          "[I4][I2][D7]") {
  auto shared = std::make_shared<msgbus::provider>();
  bus::consumer first(shared);
  bus::service second(shared);
  first.handler([](const ping&, msgbus::depends<twice_value> twice) {
    expect(*twice > 0 && *twice % 2 == 0, "the value is alive");
  });
  auto ask = second.handler("ask", [](msgbus::depends<twice_value> twice) { return *twice; });
  thread_group dispatching;
  dispatching.repeat([&] { first.consume(ping{}); });
  dispatching.repeat([&] { expect(ask() > 0, "the value is alive"); });
  std::atomic<int> cleaned{0};
  for (int round = 0; round < rounds(300); ++round) {
    auto value = std::make_unique<int>(round + 2);
    shared->override(get_value, [&](msgbus::yield<int&> yield) {
      yield(*value);
      ++cleaned;
    });
    shared->override(twice_value, [](msgbus::depends<get_value> base) { return *base * 2; });
    if (round % 8 == 0) dispatching.wait_for_turns(2);
    shared->restore(get_value);
    *value = -1;
    value.reset();
    shared->restore(twice_value);
  }
  dispatching.stop();
  CHECK(cleaned > 0);
}

}  // namespace overrides_test
