// Which rows of a destination are in memory.

#include "durable/window.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace window_test {

using msgbus::durable::detail::window;

namespace {

/// A load of what is in the file after the cursor.
std::vector<std::int64_t> load(window& of, const std::set<std::int64_t>& file) {
  std::vector<std::int64_t> taken;
  if (!of.begin_load()) return taken;
  of.load_begins();
  const std::size_t most = of.space();
  std::size_t found = 0;
  std::int64_t up_to = file.empty() ? of.cursor() : std::max(of.cursor(), *file.rbegin());
  for (auto each = file.upper_bound(of.cursor()); each != file.end() && found < most; ++each) {
    if (++found == most) up_to = *each;
    if (of.loaded(*each)) taken.push_back(*each);
  }
  of.load_ended(up_to, found < most);
  return taken;
}

}  // namespace

TEST_CASE("a window takes no offer before the file has been loaded", "[R3]") {
  window of(4);
  CHECK_FALSE(of.offer(7));
  CHECK(load(of, {3, 7}) == std::vector<std::int64_t>{3, 7});
  CHECK(of.offer(8));
  CHECK(of.held() == 3);
}

TEST_CASE("a full window leaves rows in the file and finds them again in order", "[R3]") {
  window of(2);
  CHECK(load(of, {}).empty());
  CHECK(of.offer(1));
  CHECK(of.offer(2));
  CHECK_FALSE(of.offer(3));
  CHECK_FALSE(of.begin_load());
  of.gone(1);
  // 4 has space, but 3 comes first.
  CHECK_FALSE(of.offer(4));
  CHECK(load(of, {2, 3, 4}) == std::vector<std::int64_t>{3});
}

TEST_CASE("a row is held until it is gone and never taken twice", "[R2]") {
  window of(4);
  CHECK(load(of, {1, 2}).size() == 2);
  of.restart();
  CHECK(load(of, {1, 2, 3}).empty());
  CHECK(load(of, {1, 2, 3}) == std::vector<std::int64_t>{3});
}

TEST_CASE("a restart during a load makes another load necessary", "[R1]") {
  window of(4);
  REQUIRE(of.begin_load());
  of.load_begins();
  CHECK(of.loaded(5));
  of.restart();
  of.load_ended(5, true);
  CHECK_FALSE(of.offer(6));
  CHECK(load(of, {2, 5, 6}) == std::vector<std::int64_t>{2, 6});
}

TEST_CASE("a failed load is tried again", "[R1]") {
  window of(4);
  REQUIRE(of.begin_load());
  CHECK_FALSE(of.begin_load());
  of.load_failed();
  CHECK(load(of, {1}) == std::vector<std::int64_t>{1});
}

TEST_CASE("every row is taken once and in order whatever the interleaving", "[R1][R2][R3]") {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    window of(1 + random() % 5);
    std::set<std::int64_t> file;
    std::vector<std::int64_t> taken;
    std::vector<std::int64_t> held;
    std::int64_t last = 0;
    const auto take = [&](std::int64_t seq) {
      taken.push_back(seq);
      held.push_back(seq);
    };
    while (last < 60 || taken.size() < 60) {
      switch (random() % 3) {
        case 0:
          if (last == 60) break;
          file.insert(++last);
          if (of.offer(last)) take(last);
          break;
        case 1:
          for (const std::int64_t each : load(of, file)) take(each);
          break;
        default:
          if (held.empty()) break;
          const std::size_t at = random() % held.size();
          file.erase(held[at]);
          of.gone(held[at]);
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    INFO("seed " << seed);
    CHECK(std::is_sorted(taken.begin(), taken.end()));
    CHECK(std::set<std::int64_t>(taken.begin(), taken.end()).size() == 60);
    CHECK(taken.size() == 60);
  }
}

}  // namespace window_test
