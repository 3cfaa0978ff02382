#include <msgbus/detail/exec/due_heap.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace due_heap_test {

using msgbus::exec::due_heap;
using time_point = msgbus::exec::clock::time_point;
using namespace std::chrono_literals;

namespace {

auto place(const due_heap::entry& of) { return std::tuple(of.due, of.number, of.slot); }

due_heap::entry random_entry(std::mt19937& random) {
  return {time_point(1s * (random() % 50)), static_cast<std::uint32_t>(random() % 1000),
          static_cast<std::uint32_t>(random())};
}

std::vector<std::tuple<time_point, std::uint32_t, std::uint32_t>> drained(due_heap& heap) {
  std::vector<std::tuple<time_point, std::uint32_t, std::uint32_t>> all;
  for (; !heap.empty(); heap.pop()) all.push_back(place(heap.first()));
  return all;
}

}  // namespace

TEST_CASE("entries come by time, then by number, whatever their count", "[P6]") {
  std::mt19937 random(1);
  for (std::size_t many = 0; many < 300; ++many) {
    due_heap heap;
    heap.reserve(many);
    REQUIRE(heap.capacity() >= many);
    std::vector<std::pair<time_point, std::uint32_t>> expected;
    for (std::size_t i = 0; i < many; ++i) {
      const auto added = random_entry(random);
      expected.emplace_back(added.due, added.number);
      heap.push(added);
    }
    REQUIRE(heap.size() == many);
    std::sort(expected.begin(), expected.end());
    for (const auto& each : expected) {
      REQUIRE(heap.first().due == each.first);
      REQUIRE(heap.first().number == each.second);
      const due_heap::entry* const second = heap.second();
      REQUIRE((second != nullptr) == (heap.size() > 1));
      const auto next = second ? second->due : each.first;
      heap.pop();
      REQUIRE((heap.empty() || heap.first().due == next));
    }
    REQUIRE(heap.empty());
  }
}

TEST_CASE("an entry that is pushed between two pops finds its place", "[P6]") {
  std::mt19937 random(2);
  due_heap heap;
  heap.reserve(1000);
  std::vector<std::tuple<time_point, std::uint32_t>> model;
  for (int step = 0; step < 20'000; ++step) {
    if (model.size() < 1000 && random() % 9 < (step / 2000 % 2 == 0 ? 6U : 3U)) {
      const auto added = random_entry(random);
      heap.push(added);
      model.emplace_back(added.due, added.number);
    } else if (!model.empty()) {
      const auto first = std::min_element(model.begin(), model.end());
      REQUIRE(std::tuple(heap.first().due, heap.first().number) == *first);
      heap.pop();
      model.erase(first);
    }
    REQUIRE(heap.size() == model.size());
  }
}

TEST_CASE("a heap is rebuilt from entries that are changed or removed", "[P6]") {
  std::mt19937 random(3);
  due_heap heap;
  heap.reserve(500);
  std::vector<std::tuple<time_point, std::uint32_t, std::uint32_t>> expected;
  for (int i = 0; i < 500; ++i) {
    const auto added = random_entry(random);
    heap.push(added);
    if (added.slot % 3 != 0) expected.emplace_back(added.due, 1000 - added.number, added.slot);
  }
  heap.rebuild([](due_heap::entry& each) {
    each.number = 1000 - each.number;
    return each.slot % 3 != 0;
  });
  auto got = drained(heap);
  CHECK(std::is_sorted(got.begin(), got.end(), [](const auto& one, const auto& other) {
    return std::tuple(std::get<0>(one), std::get<1>(one)) <
           std::tuple(std::get<0>(other), std::get<1>(other));
  }));
  std::sort(got.begin(), got.end());
  std::sort(expected.begin(), expected.end());
  CHECK(got == expected);
}

}  // namespace due_heap_test
