#include <msgbus/detail/routing/entry.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <msgbus/detail/routing/router.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace entry_test {

namespace {

using msgbus::routing::entry;
using msgbus::routing::handler_range;
using msgbus::routing::retire_list;
using msgbus::routing::route;
using msgbus::routing::route_entries;
using msgbus::routing::route_entry;

using bare_entry = msgbus_test::bare<entry>;

struct entries {
  explicit entries(std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      all.push_back(std::make_unique<bare_entry>(nullptr, i));
    }
  }
  [[nodiscard]] route_entry at(std::size_t index) const { return {nullptr, all[index].get()}; }

  std::vector<std::unique_ptr<bare_entry>> all;
};

std::vector<std::uint64_t> orders_of(const handler_range& list) {
  std::vector<std::uint64_t> orders;
  for (const route_entry* each = list.begin; each != list.end; ++each) {
    orders.push_back(each->entry->order());
  }
  return orders;
}

std::vector<std::uint64_t> orders_of(const route& of) {
  return orders_of(handler_range(of.entries()));
}

using orders = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("an entry is active from the start and has its order") {
  const bare_entry made(nullptr, 7U);
  CHECK(made.active());
  CHECK(made.order() == 7);
}

TEST_CASE("a list holds the appended entries, up to its capacity") {
  const entries some(3);
  const auto list = route_entries::make(3);
  CHECK(list->size() == 0);
  CHECK(list->capacity() == 3);
  for (std::size_t i = 0; i < 3; ++i) list->append(some.at(i));
  CHECK(list->size() == 3);
  CHECK(list->begin()[0].entry == some.all[0].get());
  CHECK(list->begin()[2].entry == some.all[2].get());
}

TEST_CASE("a reader of a list sees the entries at that time, and none that are appended later",
          "[D4]") {
  const entries some(2);
  const auto list = route_entries::make(2);
  list->append(some.at(0));
  const handler_range seen(list.get());
  list->append(some.at(1));
  CHECK(orders_of(seen) == orders{0});
  CHECK(orders_of(handler_range(list.get())) == orders{0, 1});
}

TEST_CASE("a null list is an empty range") {
  const handler_range none(nullptr);
  CHECK(none.begin == none.end);
}

TEST_CASE("a route keeps the order in which entries were added, while it grows", "[D1]") {
  const entries some(20);
  route all;
  retire_list old;
  orders expected;
  CHECK(all.entries() == nullptr);
  CHECK(all.empty());
  for (std::size_t i = 0; i < 20; ++i) {
    all.add(some.at(i), old);
    expected.push_back(i);
    CHECK(orders_of(all) == expected);
  }
  CHECK_FALSE(all.empty());
}

TEST_CASE("a route with spare capacity adds an entry without a new list") {
  const entries some(100);
  route all;
  retire_list old;
  int lists = 0;
  const route_entries* last = nullptr;
  for (std::size_t i = 0; i < 100; ++i) {
    all.add(some.at(i), old);
    if (all.entries() != last) ++lists;
    last = all.entries();
  }
  CHECK(lists < 10);
}

TEST_CASE("a route that loses an entry keeps the others in order", "[D1]") {
  const entries some(5);
  route all;
  retire_list old;
  for (std::size_t i = 0; i < 5; ++i) all.add(some.at(i), old);
  all.remove(*some.all[2], old);
  CHECK(orders_of(all) == orders{0, 1, 3, 4});
  all.remove(*some.all[0], old);
  CHECK(orders_of(all) == orders{1, 3, 4});
  all.remove(*some.all[4], old);
  CHECK(orders_of(all) == orders{1, 3});
  all.add(some.at(0), old);
  CHECK(orders_of(all) == orders{1, 3, 0});
}

TEST_CASE("a route is empty when its last entry was removed") {
  const entries some(1);
  route all;
  retire_list old;
  all.add(some.at(0), old);
  all.remove(*some.all[0], old);
  CHECK(all.empty());
  all.add(some.at(0), old);
  CHECK(orders_of(all) == orders{0});
}

TEST_CASE("a replaced list stays unchanged for its readers, until the retire list is destroyed",
          "[D4]") {
  const entries some(3);
  route all;
  retire_list old;
  for (std::size_t i = 0; i < 3; ++i) all.add(some.at(i), old);
  const handler_range seen(all.entries());
  all.remove(*some.all[0], old);
  all.remove(*some.all[1], old);
  CHECK(orders_of(seen) == orders{0, 1, 2});
  CHECK_FALSE(old.empty());
}

TEST_CASE("a callback for the release runs once, in the order of registration, or at once",
          "[D6]") {
  const auto owner = std::make_shared<msgbus::routing::single_route>();
  const auto attached = owner->attach(
      nullptr, [](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order); });
  std::vector<int> notified;
  for (int i = 0; i < 3; ++i) attached->when_released([&notified, i] { notified.push_back(i); });
  CHECK(notified.empty());
  msgbus::routing::router::detach(*attached);
  CHECK(notified == std::vector{0, 1, 2});
  attached->when_released([&notified] { notified.push_back(3); });
  CHECK(notified == std::vector{0, 1, 2, 3});
  owner->shutdown();
}

TEST_CASE("a callback that is registered during the release runs once", "[D6]") {
  for (int round = 0; round < 50; ++round) {
    const auto owner = std::make_shared<msgbus::routing::single_route>();
    const auto attached = owner->attach(
        nullptr, [](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order); });
    std::atomic<int> notified{0}, asking{0};
    std::vector<std::thread> threads;
    // given: threads that register callbacks
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        ++asking;
        for (int j = 0; j < 20; ++j) attached->when_released([&notified] { ++notified; });
      });
    }
    while (asking != 3) std::this_thread::yield();
    // when: the entry is detached
    msgbus::routing::router::detach(*attached);
    for (std::thread& each : threads) each.join();
    // then: every callback has run once
    CHECK(notified == 60);
    owner->shutdown();
  }
}

}  // namespace entry_test
