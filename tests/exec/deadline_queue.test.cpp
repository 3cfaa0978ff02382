#include <msgbus/detail/exec/deadline_queue.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <vector>

namespace deadline_queue_test {

using msgbus::exec::deadline_queue;
using namespace std::chrono_literals;

namespace {

deadline_queue::time_point at(std::chrono::nanoseconds time) {
  return deadline_queue::time_point(time);
}

}  // namespace

TEST_CASE("deadlines are due in the order of their times, and none before its time") {
  deadline_queue queue;
  std::array<deadline_queue::entry, 3> entries;
  queue.add(entries[0], at(3s));
  queue.add(entries[1], at(1s));
  queue.add(entries[2], at(2s));
  CHECK(queue.first() == &entries[1]);
  CHECK(queue.pop_due(at(999ms)) == nullptr);
  CHECK(queue.pop_due(at(2s)) == &entries[1]);
  CHECK(queue.pop_due(at(2s)) == &entries[2]);
  CHECK(queue.pop_due(at(2s)) == nullptr);
  CHECK(queue.size() == 1);
  CHECK_FALSE(entries[1].is_queued());
  CHECK(entries[0].is_queued());
  CHECK(queue.pop_due(at(1h)) == &entries[0]);
  CHECK(queue.empty());
  CHECK(queue.first() == nullptr);
}

TEST_CASE("a deadline that was removed is never due, and may be queued again") {
  deadline_queue queue;
  deadline_queue::entry one;
  deadline_queue::entry other;
  queue.remove(one);
  queue.add(one, at(1s));
  queue.add(other, at(2s));
  queue.remove(one);
  queue.remove(one);
  CHECK(queue.pop_due(at(1h)) == &other);
  queue.add(one, at(5s));
  CHECK(one.at() == at(5s));
  CHECK(queue.pop_due(at(1h)) == &one);
}

TEST_CASE("after any additions and removals the earliest deadline is the first") {
  std::mt19937 random(17);  // NOLINT: the same in each run
  deadline_queue queue;
  std::vector<deadline_queue::entry> all(200);
  std::vector<deadline_queue::entry*> queued;
  for (int step = 0; step < 5000; ++step) {
    deadline_queue::entry& one = all[random() % all.size()];
    if (one.is_queued()) {
      queue.remove(one);
      std::erase(queued, &one);
    } else {
      queue.add(one, at(std::chrono::nanoseconds(random() % 100)));
      queued.push_back(&one);
    }
    REQUIRE(queue.size() == queued.size());
    if (queued.empty()) continue;
    const auto earliest = *std::min_element(queued.begin(), queued.end(),
                                            [](auto* a, auto* b) { return a->at() < b->at(); });
    REQUIRE(queue.first()->at() == earliest->at());
  }
  auto last = at(0ns);
  for (std::size_t left = queued.size(); left != 0; --left) {
    const deadline_queue::entry* const due = queue.pop_due(at(1s));
    REQUIRE(due != nullptr);
    CHECK(due->at() >= last);
    last = due->at();
  }
  CHECK(queue.empty());
}

}  // namespace deadline_queue_test
