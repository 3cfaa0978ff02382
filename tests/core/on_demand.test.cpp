#include <msgbus/detail/core/on_demand.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace on_demand_test {

namespace {

std::atomic<int> there{0};

struct part {
  part() { ++there; }
  part(const part&) = delete;
  part& operator=(const part&) = delete;
  ~part() { --there; }
  int value = 7;
};

using msgbus::detail::on_demand;

}  // namespace

TEST_CASE("a part is made on first use, and is destroyed with its owner") {
  {
    on_demand<part> one;
    CHECK(one.get() == nullptr);
    CHECK(there == 0);
    part& made = one.made();
    CHECK(made.value == 7);
    CHECK(&one.made() == &made);
    CHECK(one.get() == &made);
    CHECK(there == 1);
  }
  CHECK(there == 0);
}

TEST_CASE("a part that is given is not made again") {
  auto given = std::make_unique<part>();
  const part* const before = given.get();
  on_demand<part> one(std::move(given));
  CHECK(&one.made() == before);
  CHECK(there == 1);
}

TEST_CASE("threads that need a part at the same time get the same one") {
  for (int round = 0; round < 100; ++round) {
    on_demand<part> one;
    std::atomic<int> ready{0};
    std::vector<part*> got(4);
    std::vector<std::thread> threads;
    // when: four threads use the object at the same time
    for (part*& mine : got) {
      threads.emplace_back([&] {
        ++ready;
        while (ready != 4) std::this_thread::yield();
        mine = &one.made();
      });
    }
    for (std::thread& each : threads) each.join();
    // then: all use one part
    for (const part* const each : got) CHECK(each == one.get());
    CHECK(there == 1);
  }
  CHECK(there == 0);
}

}  // namespace on_demand_test
