#include "durable/key_lines.hpp"

#include <msgbus/detail/exec/key_rule.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace key_lines_test {

using msgbus::durable::detail::key_lines;
using msgbus::exec::keyed_ptr;
using positions = std::vector<std::int64_t>;

namespace {

keyed_ptr key(int of) { return std::make_unique<msgbus::exec::message_with_key<int>>(of); }

bool add(key_lines& to, int of, std::int64_t seq) {
  key_lines::entry added{.seq = seq};
  return to.add(key(of), added);
}

std::int64_t take(key_lines& from) {
  const auto taken = from.take();
  return taken ? taken->seq : 0;
}

}  // namespace

TEST_CASE("one message of each key is on its way and the others wait in their order", "[R3]") {
  key_lines all(10);
  CHECK(add(all, 1, 1));
  CHECK(add(all, 1, 2));
  CHECK(add(all, 2, 3));
  CHECK(take(all) == 1);
  CHECK(take(all) == 3);
  CHECK(take(all) == 0);
  CHECK(all.is_on_its_way(1));
  all.done(1);
  CHECK(take(all) == 2);
  all.done(2);
  all.done(3);
  CHECK(all.lines() == 0);
}

TEST_CASE("a slow key keeps only the positions of its messages when too many wait", "[R3]") {
  key_lines all(2);
  CHECK(add(all, 1, 1));
  CHECK(take(all) == 1);
  CHECK(add(all, 1, 2));
  CHECK(add(all, 1, 3));
  CHECK_FALSE(add(all, 1, 4));
  CHECK(add(all, 2, 5));  // a free line
  CHECK(take(all) == 5);
  CHECK_FALSE(add(all, 1, 6));
  CHECK_FALSE(all.wants_load());
  all.done(1);
  CHECK(take(all) == 2);
  all.done(2);
  CHECK_FALSE(add(all, 1, 7));  // behind those of which only the positions are here
  CHECK(take(all) == 3);
  all.done(3);
  CHECK(all.begin_load(2) == positions{4, 6});
  CHECK_FALSE(all.wants_load());
  CHECK(add(all, 1, 4));
  all.forget(6);  // it is not in the file any more
  CHECK(take(all) == 4);
  all.done(4);
  CHECK(all.begin_load(2) == positions{7});
  all.load_failed({7});
  CHECK(all.begin_load(2) == positions{7});
  CHECK(add(all, 1, 7));
  CHECK(take(all) == 7);
  all.done(7);
  all.done(5);
  CHECK(all.lines() == 0);
}

TEST_CASE("messages of random keys keep their order however they are loaded", "[R3]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    key_lines all(random() % 5);
    std::map<std::int64_t, int> keys;
    std::map<int, std::int64_t> last;
    std::set<std::int64_t> in_file;
    positions on_their_way;
    std::int64_t next = 0;
    std::size_t ended = 0;
    const std::int64_t count = 60;
    while (ended < static_cast<std::size_t>(count)) {
      switch (random() % 4) {
        case 0:
          if (next < count) {
            ++next;
            keys[next] = static_cast<int>(random() % 3);
            if (!add(all, keys[next], next)) in_file.insert(next);
          }
          break;
        case 1:
          for (const std::int64_t seq : all.begin_load(1 + random() % 4)) {
            REQUIRE(in_file.erase(seq) == 1);
            REQUIRE(add(all, keys[seq], seq));
          }
          break;
        case 2:
          if (const std::int64_t seq = take(all)) {
            CHECK(last[keys[seq]] < seq);
            last[keys[seq]] = seq;
            on_their_way.push_back(seq);
          }
          break;
        default:
          if (on_their_way.empty()) break;
          std::shuffle(on_their_way.begin(), on_their_way.end(), random);
          all.done(on_their_way.back());
          on_their_way.pop_back();
          ++ended;
      }
    }
    CHECK(all.lines() == 0);
    CHECK(in_file.empty());
  }
}

}  // namespace key_lines_test
