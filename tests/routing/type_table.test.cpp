#include <msgbus/detail/routing/type_table.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"

#include <array>
#include <vector>

namespace type_table_test {

namespace {

using msgbus::detail::key_of;
using msgbus::detail::type_key;
using msgbus::routing::entry;
using msgbus::routing::handler_range;
using msgbus::routing::router;
using msgbus::routing::type_table;
using msgbus::routing::typed_call;
using msgbus::routing::typed_entry;

using bare_entry = msgbus_test::bare<typed_entry>;
using entries = std::vector<const entry*>;

struct placed {};
struct paid {};

std::shared_ptr<bare_entry> attach(type_table& table, std::span<const typed_call> calls) {
  return table.attach(
      [&](std::uint64_t order) { return std::make_shared<bare_entry>(nullptr, order, calls); });
}

entries entries_of(const msgbus::routing::route_entries* list) {
  entries all;
  const handler_range items(list);
  for (const auto* each = items.begin; each != items.end; ++each) all.push_back(each->entry);
  return all;
}

entries found(const type_table& table, type_key type) {
  const msgbus::routing::guard guard(table.guarded());
  return entries_of(table.find(type));
}

const entry* sole(const type_table& table, type_key type) {
  const msgbus::routing::guard guard(table.guarded());
  const auto* const route = table.find_route(type);
  return route ? route->sole() : nullptr;
}

constexpr std::array only_placed{typed_call{key_of<placed>, nullptr}};
constexpr std::array only_paid{typed_call{key_of<paid>, nullptr}};
constexpr std::array both{typed_call{key_of<placed>, nullptr}, typed_call{key_of<paid>, nullptr}};
constexpr std::array every{typed_call{nullptr, nullptr}};

void plain_call() {}
constexpr std::array plain_placed{typed_call{key_of<placed>, nullptr, &plain_call}};

}  // namespace

TEST_CASE("handlers are found under their type, in order", "[T1][D1]") {
  const auto table = std::make_shared<type_table>();
  CHECK(table->find(key_of<placed>) == nullptr);
  const auto first = attach(*table, only_placed);
  const auto other = attach(*table, only_paid);
  const auto second = attach(*table, only_placed);
  CHECK(found(*table, key_of<placed>) == entries{first.get(), second.get()});
  CHECK(found(*table, key_of<paid>) == entries{other.get()});
  CHECK(found(*table, key_of<int>).empty());
}

TEST_CASE("a handler of several types is found under each", "[T2]") {
  const auto table = std::make_shared<type_table>();
  const auto handler = attach(*table, both);
  CHECK(found(*table, key_of<placed>) == entries{handler.get()});
  CHECK(found(*table, key_of<paid>) == entries{handler.get()});
  router::detach(*handler);
  CHECK(found(*table, key_of<placed>).empty());
  CHECK(found(*table, key_of<paid>).empty());
}

TEST_CASE("a handler of every type is found apart from the others", "[T4]") {
  const auto table = std::make_shared<type_table>();
  CHECK(table->any() == nullptr);
  const auto handler = attach(*table, every);
  CHECK(entries_of(table->any()) == entries{handler.get()});
  CHECK(found(*table, key_of<placed>).empty());
}

TEST_CASE("types with equal names and hashes have different routes", "[T1]") {
  const msgbus::detail::type_record one{"same", 1, nullptr};
  const msgbus::detail::type_record two{"same", 1, nullptr};
  const std::array calls_one{typed_call{&one, nullptr}};
  const std::array calls_two{typed_call{&two, nullptr}};
  const auto table = std::make_shared<type_table>();
  const auto first = attach(*table, calls_one);
  CHECK(found(*table, &two).empty());
  const auto second = attach(*table, calls_two);
  CHECK(found(*table, &one) == entries{first.get()});
  CHECK(found(*table, &two) == entries{second.get()});
}

TEST_CASE("any number of types have different routes", "[T1]") {
  std::vector<msgbus::detail::type_record> records;
  for (std::size_t i = 0; i < 100; ++i) records.push_back({"type", i % 10, nullptr});
  std::vector<std::array<typed_call, 1>> calls;
  for (const auto& record : records) calls.push_back({typed_call{&record, nullptr}});
  const auto table = std::make_shared<type_table>();
  entries all;
  for (const auto& each : calls) all.push_back(attach(*table, each).get());
  for (std::size_t i = 0; i < records.size(); ++i) {
    REQUIRE(found(*table, &records[i]) == entries{all[i]});
  }
}

TEST_CASE("a handler with a plain call is the sole one while its type has no other", "[D3]") {
  const auto table = std::make_shared<type_table>();
  CHECK(sole(*table, key_of<placed>) == nullptr);
  const auto first = attach(*table, plain_placed);
  CHECK(sole(*table, key_of<placed>) == first.get());
  const auto second = attach(*table, only_placed);
  CHECK(sole(*table, key_of<placed>) == nullptr);
  router::detach(*first);
  CHECK(sole(*table, key_of<placed>) == nullptr);  // the other handler has no plain call
  const auto third = attach(*table, plain_placed);
  router::detach(*second);
  CHECK(sole(*table, key_of<placed>) == third.get());
}

TEST_CASE("no handler is the sole one beside a handler of every event", "[T4]") {
  const auto table = std::make_shared<type_table>();
  const auto before = attach(*table, plain_placed);
  const auto any = attach(*table, every);
  CHECK(sole(*table, key_of<placed>) == nullptr);
  router::detach(*before);
  const auto after = attach(*table, plain_placed);
  CHECK(sole(*table, key_of<placed>) == nullptr);
}

TEST_CASE("a table after shutdown has no sole handler, so late dispatches run none", "[D8]") {
  const auto table = std::make_shared<type_table>();
  const auto only = attach(*table, plain_placed);
  table->shutdown();
  CHECK(sole(*table, key_of<placed>) == nullptr);
}

}  // namespace type_table_test
