#include <msgbus/detail/observe/outcomes.hpp>

#include "support/catch.hpp"

#include <memory>
#include <thread>
#include <vector>

namespace striped_counter_test {

TEST_CASE("a striped counter counts the additions of one thread") {
  msgbus::detail::striped_counter counter;
  CHECK(counter.sum() == 0);
  for (int i = 0; i < 1000; ++i) counter.add();
  CHECK(counter.sum() == 1000);
}

TEST_CASE("a striped counter sums the counts of any number of threads") {
  msgbus::detail::striped_counter counter;
  for (int started = 1; started <= 20; ++started) {
    std::thread([&] {
      for (int i = 0; i < started; ++i) counter.add();
    }).join();
  }
  CHECK(counter.sum() == 20 * 21 / 2);
}

TEST_CASE("striped counters are independent") {
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

namespace outcomes_test {

using msgbus::detail::outcome;
using msgbus::detail::outcomes;

TEST_CASE("outcomes are counted separately", "[A7]") {
  const auto all = std::make_unique<outcomes>();
  all->add(outcome::handled);
  all->add(outcome::handled, 4);
  all->add(outcome::unrouted);
  CHECK(all->sum(outcome::handled) == 5);
  CHECK(all->sum(outcome::unrouted) == 1);
  CHECK(all->sum(outcome::failed) == 0);
}

TEST_CASE("no count is lost with more threads than stripes, or with stripes that are reused",
          "[A7]") {
  constexpr int threads = 12;
  constexpr int each = 10'000;
  const auto all = std::make_unique<outcomes>();
  for (int generation = 0; generation < 3; ++generation) {
    std::vector<std::thread> counting;
    for (int i = 0; i < threads; ++i) {
      counting.emplace_back([&] {
        for (int n = 0; n < each; ++n) all->add(outcome::handled);
      });
    }
    for (std::thread& thread : counting) thread.join();
  }
  CHECK(all->sum(outcome::handled) == 3ULL * threads * each);
}

}  // namespace outcomes_test
