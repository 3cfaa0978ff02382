#include <msgbus/detail/exec/due_queue.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <sstream>
#include <tuple>
#include <vector>

namespace due_queue_test {

using msgbus::missed;
using msgbus::exec::due_key;
using msgbus::exec::due_queue;
using msgbus::exec::next_occurrence;
using time_point = due_queue::time_point;
using namespace std::chrono_literals;

namespace {

constexpr time_point start{24h};
constexpr time_point never = time_point::max();

std::vector<std::uint64_t> take_all(due_queue& from, time_point now) {
  std::vector<std::uint64_t> orders;
  while (const auto next = from.take(now)) {
    orders.push_back(next->key.order);
    from.finish(next->key);
  }
  return orders;
}

}  // namespace

TEST_CASE("entries are taken in due order, and then in the order of the calls", "[P6]") {
  due_queue queue;
  for (const auto after : {3s, 1s, 2s, 1s, 3s, 1s}) (void)queue.add(start + after);
  CHECK(take_all(queue, start + 5s) == std::vector<std::uint64_t>{2, 4, 6, 3, 1, 5});
  CHECK(queue.size() == 0);
}

TEST_CASE("no entry is taken before its time, and each is taken once", "[P6]") {
  due_queue queue;
  const due_key key = queue.add(start + 1s);
  CHECK_FALSE(queue.take(start + 1s - 1ns));
  const auto taken = queue.take(start + 1s);
  REQUIRE(taken);
  CHECK(taken->key == key);
  CHECK(taken->due == start + 1s);
  CHECK_FALSE(queue.take(start + 1h));
  CHECK(queue.contains(key));
  queue.finish(key);
  CHECK_FALSE(queue.contains(key));
}

TEST_CASE("a time that is too late for the clock never comes", "[P6]") {
  due_queue queue;
  const due_key key = queue.add(never);
  CHECK_FALSE(queue.take(never));
  CHECK(queue.next() == never);
  const auto first = queue.take_first();
  REQUIRE(first);
  CHECK(first->key == key);
}

TEST_CASE("a removed entry is never taken, and its key means nothing any more", "[P6]") {
  due_queue queue;
  const due_key one = queue.add(start + 1s);
  const due_key two = queue.add(start + 2s);
  CHECK(queue.remove(one));
  CHECK_FALSE(queue.remove(one));
  CHECK(queue.next() == start + 2s);
  const due_key three = queue.add(start + 3s);
  CHECK(three.slot == one.slot);
  CHECK_FALSE(queue.contains(one));
  CHECK_FALSE(queue.remove(one));
  CHECK(take_all(queue, start + 1h) == std::vector<std::uint64_t>{two.order, three.order});
  CHECK_FALSE(queue.remove({}));
  CHECK_FALSE(queue.remove({.slot = 1'000'000, .order = 1}));
}

TEST_CASE("an entry in hand is removed, or waits again in the order of its first call", "[P6]") {
  due_queue queue;
  const due_key one = queue.add(start + 1s);
  const due_key two = queue.add(start + 2s);
  REQUIRE(queue.take(start + 1s));
  CHECK(queue.next() == start + 2s);
  CHECK(queue.again(one, start + 2s));
  CHECK(queue.size() == 2);
  CHECK(take_all(queue, start + 2s) == std::vector<std::uint64_t>{one.order, two.order});
  const due_key three = queue.add(start + 3s);
  REQUIRE(queue.take(start + 3s));
  CHECK(queue.remove(three));
  CHECK_FALSE(queue.again(three, start + 4s));
  CHECK(queue.size() == 0);
}

TEST_CASE("removed entries keep at most half of the heap, and none of its memory at the end") {
  due_queue queue;
  std::vector<due_key> keys;
  for (int i = 0; i < 10'000; ++i) keys.push_back(queue.add(start + 1s * i));
  std::mt19937 random(1);
  std::shuffle(keys.begin(), keys.end(), random);
  while (!keys.empty()) {
    REQUIRE(queue.remove(keys.back()));
    keys.pop_back();
    REQUIRE(queue.size() == keys.size());
    REQUIRE(queue.places() <= 2 * queue.size());
  }
  CHECK(queue.slots() == 0);
}

TEST_CASE("equal times keep the order of the calls when the small numbers are used up", "[P6]") {
  due_queue queue(~std::uint32_t{0} - 3);
  const due_key gone = queue.add(start + 2s);
  std::vector<due_key> keys;
  std::vector<std::uint64_t> orders;
  const auto add = [&] {
    keys.push_back(queue.add(start + 1s));
    orders.push_back(keys.back().order);
  };
  add();
  CHECK(queue.remove(gone));
  for (int i = 0; i < 6; ++i) add();
  for (const due_key& each : keys) CHECK(queue.contains(each));
  CHECK_FALSE(queue.contains(gone));
  CHECK(take_all(queue, start + 1s) == orders);
}

TEST_CASE("a queue behaves as a sorted list, for random scripts", "[P6]") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    struct entry {
      time_point due;
      due_key key;
      [[nodiscard]] auto place() const { return std::tuple(due, key.order); }
    };
    due_queue queue(seed % 2 == 0 ? 0 : ~std::uint32_t{0} - pick(150));
    std::vector<entry> model;
    time_point now = start;
    for (int step = 0; step < 300; ++step) {
      const unsigned what = pick(10);
      if (what < 5) {
        const time_point due = pick(20) == 0 ? never : start + 1s * pick(40);
        model.push_back({due, queue.add(due)});
      } else if (what < 7 && !model.empty()) {
        const auto gone = model.begin() + pick(static_cast<unsigned>(model.size()));
        REQUIRE(queue.remove(gone->key));
        model.erase(gone);
      } else {
        now += 1s * pick(3);
        while (const auto next = queue.take(now)) {
          const auto first =
              std::min_element(model.begin(), model.end(),
                               [](const auto& a, const auto& b) { return a.place() < b.place(); });
          REQUIRE(first != model.end());
          REQUIRE(first->due <= now);
          REQUIRE(next->key == first->key);
          REQUIRE(next->due == first->due);
          if (pick(3) == 0) {
            first->due = now + 1s * (1 + pick(5));
            REQUIRE(queue.again(next->key, first->due));
          } else {
            queue.finish(next->key);
            model.erase(first);
          }
        }
        for (const entry& each : model) REQUIRE(each.due > now);
      }
      REQUIRE(queue.size() == model.size());
    }
  }
}

TEST_CASE("late occurrences are skipped or caught up, never both", "[P6]") {
  struct row {
    std::chrono::milliseconds late;
    std::chrono::milliseconds skipped;  // the next time, after the due one
    std::chrono::milliseconds caught_up;
  };
  for (const row& each : {row{0ms, 100ms, 100ms}, row{1ms, 100ms, 100ms}, row{99ms, 100ms, 100ms},
                          row{100ms, 200ms, 100ms}, row{101ms, 200ms, 100ms},
                          row{1050ms, 1100ms, 100ms}, row{-10ms, 100ms, 100ms}}) {
    CAPTURE(each.late.count());
    const time_point now = start + each.late;
    CHECK(next_occurrence(start, 100ms, now, missed::skip) == start + each.skipped);
    CHECK(next_occurrence(start, 100ms, now, missed::catch_up) == start + each.caught_up);
  }
}

TEST_CASE("recurring times saturate") {
  for (const missed how : {missed::skip, missed::catch_up}) {
    CHECK(next_occurrence(never - 1s, 2s, never - 1s, how) == never);
    CHECK(next_occurrence(start, time_point::duration::max(), start, how) == never);
    CHECK(next_occurrence(time_point::min(), 1s, start, how) > time_point::min());
  }
  CHECK(next_occurrence(time_point::min(), 1s, start, missed::skip) > start);
  CHECK(next_occurrence(time_point::min(), 1s, start, missed::skip) <= start + 1s);
  CHECK(next_occurrence(start, 1s, never, missed::skip) == never);
}

TEST_CASE(
    "entries that are never due are found, in the order of the calls, unless they were removed") {
  due_queue queue;
  CHECK(queue.never_due().empty());
  const due_key first = queue.add(never);
  const due_key removed = queue.add(never);
  (void)queue.add(start);
  const due_key last = queue.add(never);
  CHECK(queue.remove(removed));
  CHECK(queue.never_due() == std::vector<due_key>{first, last});
  CHECK(queue.remove(first));
  CHECK(queue.remove(last));
  CHECK(queue.never_due().empty());
  CHECK(queue.size() == 1);
}

TEST_CASE("the treatment of missed occurrences is printed by name") {
  std::ostringstream out;
  out << missed::skip << ' ' << missed::catch_up;
  CHECK(out.str() == "skip catch_up");
}

}  // namespace due_queue_test
