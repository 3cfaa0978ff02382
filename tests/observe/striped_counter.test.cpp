#include <msgbus/observe/striped_counter.hpp>

#include "support/catch.hpp"

#include <thread>

namespace striped_counter_test {

TEST_CASE("a striped counter counts what one thread adds") {
  msgbus::detail::striped_counter counter;
  CHECK(counter.sum() == 0);
  for (int i = 0; i < 1000; ++i) counter.add();
  CHECK(counter.sum() == 1000);
}

TEST_CASE("a striped counter sums what all threads have added, however many there are") {
  msgbus::detail::striped_counter counter;
  for (int started = 1; started <= 20; ++started) {
    std::thread([&] {
      for (int i = 0; i < started; ++i) counter.add();
    }).join();
  }
  CHECK(counter.sum() == 20 * 21 / 2);
}

TEST_CASE("striped counters count apart") {
  msgbus::detail::striped_counter first;
  const msgbus::detail::striped_counter second;
  first.add();
  CHECK(first.sum() == 1);
  CHECK(second.sum() == 0);
}

TEST_CASE("counts are small until a second thread counts", "[D7]") {
  CHECK(sizeof(msgbus::detail::striped_counter) <= 32);
  msgbus::detail::striped_counts<2> counts;
  counts.add(0);
  for (int i = 0; i < 3; ++i) std::thread([&] { counts.add(1, 2); }).join();
  counts.add(0, 4);
  CHECK(counts.sum(0) == 5);
  CHECK(counts.sum(1) == 6);
}

}  // namespace striped_counter_test
