#include "transport/memory_time.hpp"

#include <msgbus/testing/manual_clock.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>

#include <chrono>

namespace memory_time_test {

using namespace std::chrono_literals;
using msgbus::exec::installed_clock;
using msgbus::testing::manual_clock;
using msgbus::transport::memory::shared_time;

TEST_CASE("a broker's time advances with the clock that has advanced most") {
  // given: two clocks
  asio::io_context here, there;
  manual_clock one(here), other(there);
  const auto first = installed_clock(here.get_executor());
  const auto second = installed_clock(there.get_executor());
  shared_time time;
  time.follow(first);
  const auto start = time.now();
  // when: the first one advances
  one.advance(10s);
  CHECK(time.now() == start + 10s);

  // when: the second one is added, it continues from the common time
  other.advance(1h);  // before `time` follows it
  time.follow(second);
  time.follow(first);
  CHECK(time.now() == start + 10s);
  other.advance(5s);
  CHECK(time.now() == start + 15s);
  // then: the slower clock has no effect until it is ahead
  one.advance(4s);
  CHECK(time.now() == start + 15s);
  one.advance(3s);
  CHECK(time.now() == start + 17s);
}

TEST_CASE("a context without an installed clock has the steady clock's time") {
  shared_time time;
  time.follow(nullptr);
  const auto before = time.now();
  CHECK(time.now() >= before);
}

}  // namespace memory_time_test
