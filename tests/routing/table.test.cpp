#include <msgbus/detail/routing/table.hpp>

#include "support/catch.hpp"

#include <deque>
#include <set>

namespace table_test {

namespace {

struct node {
  node(int k, std::size_t h) : hash(h), key(k) {}
  [[nodiscard]] bool is(int other) const { return key == other; }
  std::size_t hash;
  int key;
};

using table = msgbus::routing::table<node>;

}  // namespace

TEST_CASE("an empty table finds nothing") {
  const table empty;
  CHECK(empty.find(1, 1) == nullptr);
  CHECK(empty.size() == 0);
  CHECK(empty.never_filled());
}

TEST_CASE("a table counts as filled from its first node on, also after that was erased") {
  node first(1, 1);
  table all;
  msgbus::routing::retire_list old;
  all.insert(first, old);
  CHECK_FALSE(all.never_filled());
  all.erase(first);
  CHECK_FALSE(all.never_filled());
}

TEST_CASE("a table finds its nodes, for all hashes") {
  // Hashes that all differ, that are all equal, and that differ in the high bits only.
  const auto hash = GENERATE(0, 1, 2);
  const auto hash_of = [&](int key) {
    return hash == 0   ? static_cast<std::size_t>(key)
           : hash == 1 ? std::size_t{7}
                       : static_cast<std::size_t>(key) << 20;
  };
  std::deque<node> nodes;
  table all;
  msgbus::routing::retire_list old;
  for (int key = 0; key < 300; ++key) {
    nodes.emplace_back(key, hash_of(key));
    all.insert(nodes.back(), old);
    for (int i = 0; i <= key; ++i) REQUIRE(all.find(i, hash_of(i)) == &nodes[std::size_t(i)]);
    REQUIRE(all.find(key + 1, hash_of(key + 1)) == nullptr);
  }
  CHECK(all.size() == 300);
}

TEST_CASE("a table finds its remaining nodes after erasures and insertions") {
  std::deque<node> nodes;
  for (int key = 0; key < 64; ++key) nodes.emplace_back(key, static_cast<std::size_t>(key % 5));
  table all;
  msgbus::routing::retire_list old;
  std::set<int> there;
  unsigned random = 1;
  // when: nodes are inserted and erased in random order
  for (int step = 0; step < 20'000; ++step) {
    random = random * 1664525 + 1013904223;
    const int key = static_cast<int>(random >> 16) % 64;
    node& at = nodes[static_cast<std::size_t>(key)];
    if (there.insert(key).second) {
      all.insert(at, old);
    } else {
      there.erase(key);
      all.erase(at);
    }
    // then: each node is found exactly while it is in the table
    for (const int probe : {key, (key + 1) % 64, (key + 5) % 64}) {
      const node& n = nodes[static_cast<std::size_t>(probe)];
      REQUIRE((all.find(probe, n.hash) == &n) == (there.count(probe) == 1));
    }
    REQUIRE(all.size() == there.size());
  }
  std::set<int> seen;
  all.for_each([&](node& each) { seen.insert(each.key); });
  CHECK(seen == there);
}

TEST_CASE("a table retires its replaced cells, in total no more than its own size") {
  std::deque<node> nodes;
  table all;
  msgbus::routing::retire_list old;
  for (int key = 0; key < 1000; ++key) {
    nodes.emplace_back(key, static_cast<std::size_t>(key));
    all.insert(nodes.back(), old);
  }
  CHECK(old.size() > 0);
  CHECK(old.size() < 12);  // each is twice as large as the previous one
}

}  // namespace table_test
