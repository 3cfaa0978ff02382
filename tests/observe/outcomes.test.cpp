#include <msgbus/observe/outcomes.hpp>

#include "support/catch.hpp"

#include <memory>
#include <thread>
#include <vector>

namespace outcomes_test {

using msgbus::detail::outcome;
using msgbus::detail::outcomes;

TEST_CASE("outcomes are counted each for itself", "[A7]") {
  const auto all = std::make_unique<outcomes>();
  all->add(outcome::handled);
  all->add(outcome::handled, 4);
  all->add(outcome::unrouted);
  CHECK(all->sum(outcome::handled) == 5);
  CHECK(all->sum(outcome::unrouted) == 1);
  CHECK(all->sum(outcome::failed) == 0);
}

TEST_CASE("no count is lost: more threads than lines, and threads that follow others", "[A7]") {
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
