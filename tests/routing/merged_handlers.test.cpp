#include <msgbus/detail/routing/merged_handlers.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <algorithm>
#include <vector>

namespace merged_handlers_test {

namespace {

using msgbus::routing::entry;
using msgbus::routing::merged_handlers;
using msgbus::routing::route_entries;
using msgbus::routing::route_entry;

using bare_entry = msgbus_test::bare<entry>;
using orders = std::vector<std::uint64_t>;

class lists {
 public:
  // Entries with equal order numbers are the same entry.
  const route_entries* make(const orders& wanted) {
    lists_.push_back(route_entries::make(wanted.size() + 1));
    for (const std::uint64_t order : wanted) append(*lists_.back(), order);
    return lists_.back().get();
  }
  void append_to_last(std::uint64_t order) { append(*lists_.back(), order); }

 private:
  void append(route_entries& list, std::uint64_t order) {
    auto found = std::find_if(entries_.begin(), entries_.end(),
                              [&](const auto& each) { return each->order() == order; });
    if (found == entries_.end()) {
      found = entries_.insert(entries_.end(), std::make_unique<bare_entry>(nullptr, order));
    }
    list.append({nullptr, found->get()});
  }

  std::vector<std::unique_ptr<bare_entry>> entries_;
  std::vector<std::unique_ptr<route_entries>> lists_;
};

orders taken_from(merged_handlers& found) {
  orders taken;
  found.for_each([&](const route_entry& each) { taken.push_back(each.entry->order()); });
  return taken;
}

}  // namespace

TEST_CASE("merged handlers without lists are empty") {
  merged_handlers found;
  lists made;
  found.add(nullptr);
  found.add(made.make({}));
  CHECK(found.empty());
  CHECK(taken_from(found).empty());
}

TEST_CASE("one list is read in its own order", "[D1]") {
  merged_handlers found;
  lists made;
  found.add(made.make({1, 5, 9}));
  CHECK_FALSE(found.empty());
  CHECK(taken_from(found) == orders{1, 5, 9});
}

TEST_CASE("several lists are merged in the order of registration", "[D1]") {
  merged_handlers found;
  lists made;
  found.add(made.make({4, 6}));
  found.add(made.make({1, 5, 9}));
  found.add(nullptr);
  found.add(made.make({2, 3, 10}));
  CHECK(taken_from(found) == orders{1, 2, 3, 4, 5, 6, 9, 10});
}

TEST_CASE("an entry in several lists is read once", "[T8]") {
  merged_handlers found;
  lists made;
  found.add(made.make({1, 3}));
  found.add(made.make({1, 2, 3}));
  found.add(made.make({3, 4}));
  CHECK(taken_from(found) == orders{1, 2, 3, 4});
}

TEST_CASE("any number of lists is merged", "[D1][T8]") {
  for (std::uint64_t size = 1; size <= 20; ++size) {  // nine lists exceed the storage inside
    INFO(size << " lists");
    merged_handlers found;
    lists made;
    orders expected{0};
    for (std::uint64_t i = 0; i < size; ++i) {
      found.add(made.make({0, size - i, 100 + i}));
      expected.push_back(size - i);
      expected.push_back(100 + i);
    }
    std::sort(expected.begin(), expected.end());
    CHECK(taken_from(found) == expected);
  }
}

TEST_CASE("an entry that is appended to a list later is not among the merged handlers", "[D4]") {
  merged_handlers found;
  lists made;
  found.add(made.make({1, 2}));
  made.append_to_last(3);
  CHECK(taken_from(found) == orders{1, 2});
}

}  // namespace merged_handlers_test
