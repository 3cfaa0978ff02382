#include <msgbus/pick.hpp>

#include "support/one_of_shops.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace pick_test {

using msgbus::by_key;
using msgbus::pick;
using msgbus::pick_options;
using msgbus::receipt;
using msgbus_test::shops;
using order = msgbus_test::shop_order;
using counts = std::array<std::size_t, 3>;
using namespace std::chrono_literals;

namespace {

const auto account_of = [](const order& o) { return o.account; };

}  // namespace

TEST_CASE("each message goes to one of several, in turn") {
  shops s;
  for (int i = 0; i < 9; ++i) CHECK(s.post(0, i) == receipt{.admitted = 1});
  s.context.run();
  CHECK(s.counts() == counts{3, 3, 3});
  CHECK(s.seen[0][1].number == 3);
}

TEST_CASE("each message goes to the one with the fewest that wait or are handled") {
  shops s({}, pick_options{.by = pick::least_waiting});
  s.takes = {1h, 1s, 1s};
  for (int i = 0; i < 30; ++i) {
    (void)s.post();
    s.pass(500ms);
  }
  // The slow one gets its first and no other: the others always have less.
  CHECK(s.all[0]->stats().accepted == 1);
  CHECK(s.all[1]->stats().accepted + s.all[2]->stats().accepted == 29);
  s.pass(2h);
  s.check();
}

TEST_CASE("those with equally few messages get them in turn") {
  shops s({}, pick_options{.by = pick::least_waiting});
  for (int i = 0; i < 30; ++i) {
    (void)s.post();
    s.context.run();
  }
  CHECK(s.counts() == counts{10, 10, 10});
}

TEST_CASE("all messages of a key go to the same one, in order", "[P5]") {
  shops s({}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  s.takes = {1s, 2s, 3s};
  for (int number = 0; number < 5; ++number) {
    for (int account = 0; account < 60; ++account) (void)s.post(account, number);
  }
  s.pass(1h);
  std::map<int, std::vector<int>> by_account;
  for (const auto& seen : s.seen) {
    CHECK(seen.size() >= 50);  // of 300: the keys are spread
    std::map<int, std::vector<int>> here;
    for (const order& each : seen) here[each.account].push_back(each.number);
    for (const auto& [account, numbers] : here) {
      CHECK(numbers == std::vector<int>{0, 1, 2, 3, 4});
      CHECK(by_account.emplace(account, numbers).second);
    }
  }
  CHECK(by_account.size() == 60);
}

TEST_CASE("when one of several closes, only its own keys go elsewhere", "[P5]") {
  shops s({}, pick_options{.by = pick::key, .keys = {by_key<order>(account_of)}});
  for (int account = 0; account < 60; ++account) (void)s.post(account, 0);
  s.context.run();
  const auto before = s.seen;
  s.all[1]->close();
  for (auto& each : s.seen) each.clear();
  for (int account = 0; account < 60; ++account) CHECK(s.post(account, 1).admitted == 1);
  s.context.run();
  CHECK(s.seen[1].empty());
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    CHECK(s.seen[i].size() > before[i].size());
    for (const order& each : before[i]) {
      CHECK(std::any_of(s.seen[i].begin(), s.seen[i].end(),
                        [&](const order& now) { return now.account == each.account; }));
    }
  }
}

TEST_CASE("messages of a type without a key function are one key", "[P5]") {
  shops s({}, pick_options{.by = pick::key});
  for (int i = 0; i < 9; ++i) (void)s.post(i);
  s.context.run();
  counts got = s.counts();
  std::sort(got.begin(), got.end());
  CHECK(got == counts{0, 0, 9});
}

TEST_CASE("ways to pick have names") {
  std::ostringstream out;
  out << pick::round_robin << ' ' << pick::least_waiting << ' ' << pick::key;
  CHECK(out.str() == "round_robin least_waiting key");
}

}  // namespace pick_test
