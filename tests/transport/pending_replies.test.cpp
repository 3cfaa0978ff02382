#include "transport/pending_replies.hpp"

#include "support/catch.hpp"
#include "transport/names.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace pending_replies_test {

using msgbus::transport::pending_replies;
using msgbus::transport::reply_number;
using msgbus::transport::reply_topic;

namespace {

std::shared_ptr<int> made() { return std::make_shared<int>(); }

}  // namespace

TEST_CASE("a place that has had all its numbers gives no reply the number that is none") {
  pending_replies<int> all(0xFFFF'FFFE);
  for (int i = 0; i < 4; ++i) {
    const auto one = made();
    const auto number = all.add(one);
    CHECK(number != 0);
    CHECK(all.take(number) == one);
  }
}

TEST_CASE("a reply is taken by its number, once") {
  pending_replies<int> all;
  const auto first = made();
  const auto second = made();
  const auto number_of_first = all.add(first);
  const auto number_of_second = all.add(second);
  CHECK(number_of_first != 0);
  CHECK(number_of_first != number_of_second);
  CHECK(all.size() == 2);
  CHECK(all.take(number_of_second) == second);
  CHECK(all.take(number_of_second) == nullptr);
  CHECK(all.take(number_of_first) == first);
  CHECK(first.use_count() == 1);
  CHECK(all.size() == 0);
}

TEST_CASE("a number that comes too late takes nothing, also where its place is in use again") {
  pending_replies<int> all;
  const auto number = all.add(made());
  REQUIRE(all.take(number));
  const auto next = made();
  const auto number_of_next = all.add(next);
  CHECK(all.take(number) == nullptr);
  CHECK(all.take(0) == nullptr);
  CHECK(all.take(~std::uint64_t{0}) == nullptr);
  CHECK(all.take(number_of_next) == next);
}

TEST_CASE("a number of a reply is not used again") {
  pending_replies<int> all;
  std::set<std::uint64_t> numbers;
  std::vector<std::uint64_t> waiting;
  for (int i = 0; i < 1000; ++i) {
    waiting.push_back(all.add(made()));
    CHECK(numbers.insert(waiting.back()).second);
    if (i % 3 == 0) {
      CHECK(all.take(waiting.front()));
      waiting.erase(waiting.begin());
    }
  }
  CHECK(all.take_all().size() == waiting.size());
  CHECK(all.size() == 0);
}

TEST_CASE("all that wait are taken together, and later ones wait until the end") {
  pending_replies<int> all;
  const auto taken = made();
  const auto waiting = made();
  const auto number_of_taken = all.add(taken);
  const auto number_of_waiting = all.add(waiting);
  REQUIRE(all.take(number_of_taken));
  const auto left = all.take_all();
  REQUIRE(left.size() == 1);
  CHECK(left[0] == waiting);
  CHECK(all.take(number_of_waiting) == nullptr);
  const auto later = made();
  const auto number_of_later = all.add(later);
  CHECK_FALSE(all.has_ended());
  all.end();
  CHECK(all.has_ended());
  CHECK(all.add(made()) == 0);
  CHECK(all.take(number_of_later) == later);
}

TEST_CASE("a number crosses as the last token of a topic") {
  for (const std::uint64_t each : {std::uint64_t{1}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
    CHECK(reply_number(reply_topic("_INBOX.x", each), "_INBOX.x") == each);
  }
  CHECK(reply_topic("in", std::uint64_t{1} << 32 | 42) == "in.2a-1");  // short: all read it
  for (const char* const text :
       {"", "in", "in.", "in.a", "in.1-", "in.-1", "in.1-2-", "in.1-2.3", "in.+1-1", "in.1-+1",
        "in.1-g", "in.100000000-1", "in.1-100000000"}) {
    INFO(text);
    CHECK(reply_number(text, "in") == 0);
  }
}

}  // namespace pending_replies_test
