#include <msgbus/detail/observe/handling_times.hpp>

#include "support/catch.hpp"

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace handling_times_test {

using msgbus::detail::times_key;
using msgbus::detail::times_table;
using msgbus::routing::domain;

namespace {

const int some_type = 0;
const int other_type = 0;

}  // namespace

TEST_CASE("a key has one series, and keys of one type and another handler have others") {
  const domain guarded;
  times_table all;
  CHECK(all.find({&some_type, 1}) == nullptr);
  const auto first = all.add(guarded, {&some_type, 1}, {"order", "h"});
  CHECK(first.is_new);
  CHECK_FALSE(all.add(guarded, {&some_type, 1}, {"order", "h"}).is_new);
  CHECK(all.find({&some_type, 1}) == &first.series);
  CHECK(all.find({&some_type, 2}) == nullptr);
  CHECK(all.find({&other_type, 1}) == nullptr);
}

TEST_CASE("handlers of one name get a number, and are read in their order") {
  const domain guarded;
  times_table all;
  all.add(guarded, {&some_type, 1}, {"order", "h"}).series.add(1, false);
  all.add(guarded, {&some_type, 2}, {"order", "h"}).series.add(2, false);
  all.add(guarded, {&other_type, 1}, {"parcel", "h"}).series.add(3, false);
  const auto read = all.read();
  REQUIRE(read.size() == 3);
  CHECK(read[0].names.handler == "h");
  CHECK(read[1].names.handler == "h (2)");
  CHECK(read[1].times.sum == 2);
  CHECK(read[2].names.message == "parcel");
}

TEST_CASE("a handler that comes after another of its name continues the series", "[O3]") {
  const domain guarded;
  times_table all;
  for (std::uint64_t order = 1; order <= 10'000; ++order) {
    all.add(guarded, {&some_type, order}, {"order", "h"}).series.add(1, false);
    all.remove({&some_type, order});
  }
  const auto read = all.read();
  REQUIRE(read.size() == 1);
  CHECK(read[0].times.count() == 10'000);
}

TEST_CASE("a call runs from its begin to the end of its mark, wherever that has moved") {
  const domain guarded;
  times_table all;
  (void)all.add(guarded, {&some_type, 1}, {"order", "h"});
  auto& series = *all.find({&some_type, 1});
  msgbus::detail::running_calls& calls = series.calls.made();
  const auto running = [&] {
    const auto read = all.read_followed();
    REQUIRE(read.size() == 1);
    return read[0].calls.begun - read[0].calls.ended;
  };
  CHECK(running() == 0);
  {
    msgbus::detail::running_call first(calls);
    const msgbus::detail::running_call moved(std::move(first));
    CHECK_FALSE(first);
    CHECK(moved);
    CHECK(running() == 1);
    const msgbus::detail::running_call second(calls);
    CHECK(running() == 2);
  }
  CHECK(running() == 0);
  CHECK(all.read_followed()[0].calls.begun == 2);
  series.add(10, false);
  series.add(20, true);
  CHECK(all.read_followed()[0].times.count() == 2);  // failed runs too
}

TEST_CASE("many keys are found while others are added", "[O1]") {
  const domain guarded;
  times_table all;
  constexpr std::uint64_t many = 500;
  const auto work = [&] {
    bool is_right = true;
    for (std::uint64_t order = 1; order <= many; ++order) {
      const times_key key{&some_type, order};
      const msgbus::routing::guard guard(guarded);
      auto* found = all.find(key);
      if (!found) found = &all.add(guarded, key, {"order", std::to_string(order)}).series;
      found->add(1, false);
      is_right = is_right && all.find(key) == found;
    }
    return is_right;
  };
  bool was_right[3] = {};
  {
    std::vector<std::jthread> threads;
    for (bool& each : was_right) threads.emplace_back([&] { each = work(); });
    for (int i = 0; i < 10; ++i) (void)all.read();
  }
  CHECK((was_right[0] && was_right[1] && was_right[2]));
  const auto read = all.read();
  CHECK(read.size() == many);
  for (const auto& each : read) CHECK(each.times.count() == 3);
}

}  // namespace handling_times_test
