#include <msgbus/detail/core/node_table.hpp>

#include "support/catch.hpp"

#include <deque>
#include <map>
#include <random>

namespace node_table_test {

namespace {

struct numbered : msgbus::detail::table_node<numbered> {
  numbered(std::size_t hash, int n) : table_node(hash), number(n) {}
  int number;
};

using table = msgbus::detail::node_table<numbered>;

numbered* find(const table& in, std::size_t hash, int number) {
  return in.find(hash, [number](const numbered& each) { return each.number == number; });
}

}  // namespace

TEST_CASE("a node is found by its hash and its key, from its insertion to its removal") {
  table all;
  CHECK(find(all, 1, 1) == nullptr);
  numbered one(1, 1);
  numbered same_hash(1, 2);
  all.insert(one);
  all.insert(same_hash);
  CHECK(all.size() == 2);
  CHECK(find(all, 1, 1) == &one);
  CHECK(find(all, 1, 2) == &same_hash);
  CHECK(find(all, 2, 1) == nullptr);
  all.erase(one);
  CHECK(find(all, 1, 1) == nullptr);
  CHECK(find(all, 1, 2) == &same_hash);
  CHECK(all.size() == 1);
}

TEST_CASE("a node takes the place of another one with its hash") {
  table all;
  numbered before(7, 1);
  numbered other(7, 3);
  numbered by(7, 2);
  all.insert(before);
  all.insert(other);
  all.replace(before, by);
  CHECK(find(all, 7, 1) == nullptr);
  CHECK(find(all, 7, 2) == &by);
  CHECK(find(all, 7, 3) == &other);
  CHECK(all.size() == 2);
}

TEST_CASE("a table that is cleared gives each node back once, and is used again") {
  table all;
  std::deque<numbered> nodes;
  for (int n = 0; n < 100; ++n) all.insert(nodes.emplace_back(static_cast<std::size_t>(n % 40), n));
  std::map<int, int> dropped;
  all.clear([&](numbered& each) {
    ++dropped[each.number];
    each.number = -1;  // as if it was destroyed
  });
  CHECK(dropped.size() == 100);
  CHECK(all.size() == 0);
  CHECK(find(all, 7, 7) == nullptr);
  numbered one(7, 7);
  all.insert(one);
  CHECK(find(all, 7, 7) == &one);
  all.clear([](numbered&) {});
  CHECK(find(all, 7, 7) == nullptr);
}

TEST_CASE("random scripts agree with a map, while the table grows and shrinks") {
  std::mt19937 random(4);
  table all;
  std::deque<numbered> nodes;
  std::map<int, numbered*> there;
  for (int step = 0; step < 20'000; ++step) {
    const bool grows = step / 4000 % 2 == 0;
    const int number = static_cast<int>(random() % 3000);
    const std::size_t hash = static_cast<std::size_t>(number) * 5 % 1024;
    const auto found = there.find(number);
    REQUIRE(find(all, hash, number) == (found == there.end() ? nullptr : found->second));
    if (found == there.end()) {
      if (!grows && random() % 8 != 0) continue;
      all.insert(nodes.emplace_back(hash, number));
      there[number] = &nodes.back();
    } else if (!grows || random() % 8 == 0) {
      all.erase(*found->second);
      there.erase(found);
    }
    REQUIRE(all.size() == there.size());
  }
  for (const auto& [number, node] : there) REQUIRE(find(all, node->hash(), number) == node);
}

}  // namespace node_table_test
