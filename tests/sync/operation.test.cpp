#include <msgbus/sync/operation.hpp>

#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace operation_test {

namespace {

using msgbus::errc;
using msgbus::sync::operation;
using msgbus::sync::service;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

struct database {
  int reads = 0;
};
database& get_database() {
  static database one;
  return one;
}

}  // namespace

TEST_CASE("an operation is called like the function that it wraps") {
  service commands;
  auto add = commands.handler("add", [](int a, double b) { return a + b; });
  STATIC_REQUIRE(std::is_same_v<decltype(add), operation<double(int, double)>>);
  CHECK(add(2, 0.5) == 2.5);
  CHECK(add.name() == "add");
  CHECK(add.active());
}

TEST_CASE("an operation is called without its handler's dependencies") {
  service commands;
  auto read = commands.handler("read", [](msgbus::depends<get_database> db, int times,
                                          const msgbus::context&) { db->reads += times; });
  STATIC_REQUIRE(std::is_same_v<decltype(read), operation<void(int)>>);
  read(3);
  read(4);
  CHECK(get_database().reads == 7);
  database other;
  commands.override(get_database, [&]() -> database& { return other; });
  read(5);
  CHECK(get_database().reads == 7);
  CHECK(other.reads == 5);
}

TEST_CASE("an operation converts its arguments as a function does") {
  service commands;
  auto length = commands.handler("length", [](std::string text) { return text.size(); });
  CHECK(length("four") == 4);
}

TEST_CASE("an operation takes and returns references") {
  service commands;
  auto pass = commands.handler("pass", [](int& value) -> int& { return ++value; });
  int value = 1;
  CHECK(&pass(value) == &value);
  CHECK(value == 2);
  auto take = commands.handler("take", [](std::unique_ptr<int>&& p) { return std::move(p); });
  auto given = std::make_unique<int>(5);
  const int* const address = given.get();
  CHECK(take(std::move(given)).get() == address);
}

TEST_CASE("an operation may return a type that cannot be moved", "[D9]") {
  struct fixed {
    explicit fixed(int given) : value(given) {}
    fixed(const fixed&) = delete;
    fixed& operator=(const fixed&) = delete;
    int value;
  };
  service commands;
  auto make = commands.handler("make", [](int value) { return fixed(value); });
  const fixed made = make(6);
  CHECK(made.value == 6);
}

TEST_CASE("copies of an operation are the same operation", "[D6]") {
  service commands;
  auto first = commands.handler("next", [n = 0]() mutable { return ++n; });
  auto second = first;
  CHECK(first() == 1);
  CHECK(second() == 2);
  second.cancel();
  CHECK_FALSE(first.active());
  CHECK(code_of([&] { first(); }) == errc::no_handler);
}

TEST_CASE("a cancelled operation throws no_handler with its name, and its captures are destroyed",
          "[D3][D6]") {
  service commands;
  const auto capture = std::make_shared<int>(0);
  auto update = commands.handler("update", [capture](int) {});
  update.cancel();
  CHECK(capture.use_count() == 1);
  CHECK(code_of([&] { update(1); }) == errc::no_handler);
  CHECK_THAT(text_of([&] { update(1); }), contains("operation 'update'"));
  commands.handler("update", [](int) {});
  CHECK_FALSE(update.active());  // the name has another handler, and the handle has none
  CHECK(code_of([&] { update(1); }) == errc::no_handler);
}

TEST_CASE("an operation may outlive its service, and then throws no_handler", "[D8]") {
  std::optional<operation<int(int)>> kept;
  const auto capture = std::make_shared<int>(0);
  {
    service commands;
    kept = commands.handler("twice", [capture](int value) { return 2 * value; });
    CHECK((*kept)(4) == 8);
  }
  CHECK(capture.use_count() == 1);
  CHECK_FALSE(kept->active());
  CHECK(kept->name() == "twice");
  CHECK(code_of([&] { (*kept)(4); }) == errc::no_handler);
  CHECK_THAT(text_of([&] { (*kept)(4); }), contains("'twice'"));
  kept->cancel();
}

TEST_CASE("an operation may be cancelled as a subscription", "[D6]") {
  service commands;
  auto update = commands.handler("update", [] { return 1; });
  {
    const msgbus::scoped_subscription scoped = update;
    CHECK(update() == 1);
  }
  CHECK_FALSE(update.active());
  CHECK(commands.operations().empty());
}

TEST_CASE("an operation may be kept among subscriptions", "[D6]") {
  service commands;
  auto update = commands.handler("update", [] { return 1; });
  std::vector<msgbus::subscription> all;
  all.push_back(update);
  CHECK(all[0].active());
  all[0].cancel();
  CHECK_FALSE(update.active());
}

TEST_CASE("an operation that was default-constructed throws no_handler", "[D3]") {
  operation<int(int)> none;
  CHECK_FALSE(none.active());
  CHECK(none.name().empty());
  CHECK(code_of([&] { none(1); }) == errc::no_handler);
  none.cancel();
  service commands;
  none = commands.handler("twice", [](int value) { return 2 * value; });
  CHECK(none(2) == 4);
}

TEST_CASE("destroying an operation keeps its handler attached", "[D6]") {
  service commands;
  {
    const auto dropped = commands.handler("stays", [] { return 1; });
  }
  CHECK(commands.execute<int>("stays") == 1);
}

TEST_CASE("an operation may destroy its own service and its own handle", "[D8]") {
  auto commands = std::make_unique<service>();
  std::optional<operation<long()>> handle;
  const auto capture = std::make_shared<int>(0);
  handle = commands->handler("end", [&, capture] {
    commands.reset();
    return capture.use_count();
  });
  CHECK((*handle)() == 2);
  CHECK(capture.use_count() == 1);
  CHECK(code_of([&] { (*handle)(); }) == errc::no_handler);
}

TEST_CASE("an operation may call itself, deeply", "[D5]") {
  service commands;
  std::optional<operation<int(int)>> sum;
  sum = commands.handler("sum", [&](int n) -> int { return n == 0 ? 0 : n + (*sum)(n - 1); });
  CHECK((*sum)(100) == 5050);
}

}  // namespace operation_test
