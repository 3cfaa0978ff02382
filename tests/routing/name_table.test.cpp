#include <msgbus/detail/routing/name_table.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"
#include "support/thrown.hpp"

namespace name_table_test {

namespace {

using msgbus::routing::name_table;
using msgbus::routing::named_entry;
using msgbus::routing::router;

using bare_entry = msgbus_test::bare<named_entry>;

std::shared_ptr<bare_entry> attach(name_table& table, const std::string& name,
                                   int* destroyed = nullptr) {
  return table.attach(std::string_view(name), [&](std::uint64_t order) {
    return std::make_shared<bare_entry>(destroyed, order, name, std::source_location::current());
  });
}

named_entry* find(const name_table& table, std::string_view name) {
  const msgbus::routing::guard guard(table.guarded());
  return table.find(name);
}

}  // namespace

TEST_CASE("an operation is found by its name and by no other") {
  const auto table = std::make_shared<name_table>();
  CHECK(find(*table, "update") == nullptr);
  const auto update = attach(*table, "update");
  CHECK(find(*table, "update") == update.get());
  CHECK(find(*table, "updat") == nullptr);
  CHECK(find(*table, "Update") == nullptr);
  CHECK(find(*table, "") == nullptr);
}

TEST_CASE("a duplicate name is refused, and the first operation stays") {
  const auto table = std::make_shared<name_table>();
  const auto first = attach(*table, "update");
  CHECK(msgbus_test::code_of([&] { attach(*table, "update"); }) == msgbus::errc::duplicate_handler);
  CHECK(msgbus_test::text_of([&] { attach(*table, "update"); }) ==
        "operation 'update' already has a handler; cancel it, or choose another name");
  CHECK(find(*table, "update") == first.get());
  CHECK(table->names() == std::vector<std::string>{"update"});
}

TEST_CASE("an empty name is refused") {
  const auto table = std::make_shared<name_table>();
  CHECK(msgbus_test::code_of([&] { attach(*table, ""); }) == msgbus::errc::bad_arguments);
  CHECK(table->names().empty());
}

TEST_CASE("a name is free after its operation was detached") {
  const auto table = std::make_shared<name_table>();
  int destroyed = 0;
  const auto first = attach(*table, "update", &destroyed);
  router::detach(*first);
  CHECK(destroyed == 1);
  CHECK(find(*table, "update") == nullptr);
  const auto second = attach(*table, "update");
  CHECK(find(*table, "update") == second.get());
}

TEST_CASE("all names are listed, sorted") {
  const auto table = std::make_shared<name_table>();
  CHECK(table->names().empty());
  const auto b = attach(*table, "b");
  attach(*table, "c");
  attach(*table, "a");
  CHECK(table->names() == std::vector<std::string>{"a", "b", "c"});
  router::detach(*b);
  CHECK(table->names() == std::vector<std::string>{"a", "c"});
}

TEST_CASE("many names are found exactly while they are attached") {
  const auto table = std::make_shared<name_table>();
  std::vector<std::shared_ptr<bare_entry>> all;
  for (int i = 0; i < 200; ++i) all.push_back(attach(*table, "operation " + std::to_string(i)));
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = static_cast<std::size_t>(round) % 3; i < all.size(); i += 3) {
      router::detach(*all[i]);
      CHECK(find(*table, all[i]->name) == nullptr);
      all[i] = attach(*table, all[i]->name);
    }
    for (const auto& each : all) REQUIRE(find(*table, each->name) == each.get());
  }
  CHECK(table->names().size() == all.size());
}

}  // namespace name_table_test
