#include <msgbus/sync/service.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace shop {

int train_model(int value);
int train_model(int value) { return value + 1; }

template <class T>
T echo_back(T value) {
  return value;
}

template <class T>
struct store {
  static int add_item(int value) { return value + 2; }
};

inline constexpr auto get_stock = [] { return 5; };

namespace {

int hidden_function(int value) { return value + 3; }

}  // namespace

}  // namespace shop

namespace service_test {

namespace {

using msgbus::errc;
using msgbus::sync::service;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::text_of;

using names = std::vector<std::string>;

inline constexpr msgbus::required<int&> get_offset{"offset"};
int get_five() { return 5; }

}  // namespace

TEST_CASE("an operation is executed by its name, and its result is returned") {
  service commands;
  commands.handler("add", [](int a, int b) { return a + b; });
  commands.handler("greet", [](const std::string& name) { return "hello " + name; });
  CHECK(commands.execute<int>("add", 2, 3) == 5);
  CHECK(commands.execute<std::string>("greet", "Alice") == "hello Alice");
  CHECK(commands.execute<int>(std::string("add"), 4, 5) == 9);
}

TEST_CASE("executing without a result type runs the handler, and discards its result") {
  service commands;
  int ran = 0;
  commands.handler("count", [&] { return std::make_unique<int>(++ran); });
  commands.handler("nothing", [&] { ++ran; });
  STATIC_REQUIRE(std::is_void_v<decltype(commands.execute("count"))>);
  commands.execute("count");
  commands.execute("nothing");
  CHECK(ran == 2);
}

TEST_CASE("the error for a missing operation names it and the present ones", "[D3]") {
  service commands;
  CHECK(code_of([&] { commands.execute("updat", 1); }) == errc::no_handler);
  CHECK(text_of([&] { commands.execute("updat", 1); }) ==
        "the service has no operation 'updat'; it has none");
  commands.handler("update", [](int) {});
  commands.handler("create", [](int) {});
  CHECK(text_of([&] { commands.execute("updat", 1); }) ==
        "the service has no operation 'updat'; it has: create, update");
  CHECK(code_of([&] { commands.execute("", 1); }) == errc::no_handler);
  CHECK(commands.unrouted() == 4);
  commands.execute("update", 1);
  CHECK(commands.unrouted() == 4);
}

TEST_CASE("an exception of a handler is thrown unchanged", "[D2]") {
  struct peculiar {
    int code;
  };
  service commands;
  const auto failure = std::make_exception_ptr(peculiar{7});
  auto fail = commands.handler("fail", [&](int) { std::rethrow_exception(failure); });
  CHECK(msgbus_test::thrown_by([&] { commands.execute("fail", 1); }) == failure);
  CHECK(msgbus_test::thrown_by([&] { fail(1); }) == failure);
}

TEST_CASE("a handler may execute on its own service, deeply", "[D5]") {
  service commands;
  commands.handler(
      "sum", [&](int n) -> int { return n == 0 ? 0 : n + commands.execute<int>("sum", n - 1); });
  CHECK(commands.execute<int>("sum", 200) == 200 * 201 / 2);
}

TEST_CASE("a handler may add and cancel operations of its own service", "[D4][D5]") {
  service commands;
  msgbus::subscription self;
  self = commands.handler("swap", [&] {
    self.cancel();
    commands.handler("swap", [] { return 2; });
    return commands.execute<int>("swap");
  });
  CHECK(commands.execute<int>("swap") == 2);
  CHECK_FALSE(self.active());
  CHECK(commands.operations() == names{"swap"});
}

// --- names ---------------------------------------------------------------------------------------

TEST_CASE("a second handler of a name is refused, and the first stays") {
  service commands;
  auto first = commands.handler("update", [] { return 1; });
  const auto add = [&] { commands.handler("update", [] { return 2; }); };
  CHECK(code_of(add) == errc::duplicate_handler);
  CHECK_THAT(text_of(add), contains("'update'"));
  CHECK(commands.execute<int>("update") == 1);
  first.cancel();
  add();
  CHECK(commands.execute<int>("update") == 2);
}

TEST_CASE("an operation needs a name") {
  service commands;
  CHECK(code_of([&] { commands.handler("", [] {}); }) == errc::bad_arguments);
  CHECK(commands.operations().empty());
}

TEST_CASE("an empty callable is refused as an operation") {
  service commands;
  int (*null)(int) = nullptr;
  CHECK(code_of([&] { commands.handler("null", null); }) == errc::bad_arguments);
  CHECK(code_of([&] { commands.handler("empty", std::function<void()>()); }) ==
        errc::bad_arguments);
  CHECK(commands.operations().empty());
}

TEST_CASE("a refused operation's captures are destroyed") {
  service commands;
  commands.handler("update", [] {});
  const auto capture = std::make_shared<int>(0);
  CHECK_THROWS_AS(commands.handler("update", [capture] {}), msgbus::error);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a function is registered under its own name, with dashes") {
  service commands;
  auto train = commands.handler<shop::train_model>();
  CHECK(train.name() == "train-model");
  CHECK(train(1) == 2);
  CHECK(commands.execute<int>("train-model", 2) == 3);
}

TEST_CASE("functions of all kinds are named after the last part of their names") {
  service commands;
  commands.handler<shop::echo_back<std::string>>();
  commands.handler<shop::store<shop::store<int>>::add_item>();
  commands.handler<shop::get_stock>();
  commands.handler<shop::hidden_function>();
  CHECK(commands.operations() == names{"add-item", "echo-back", "get-stock", "hidden-function"});
  CHECK(commands.execute<int>("add-item", 1) == 3);
  CHECK(commands.execute<int>("get-stock") == 5);
}

TEST_CASE("a service returns its default naming of functions") {
  CHECK(msgbus::sync::kebab_case("shop::train_model") == "train-model");
}

TEST_CASE("a service may have another naming of functions") {
  std::string given;
  service commands([&](std::string_view function) {
    given = function;
    return std::string("renamed");
  });
  auto train = commands.handler<shop::train_model>();
  CHECK(given == "shop::train_model");
  CHECK(train.name() == "renamed");
  CHECK(commands.execute<int>("renamed", 1) == 2);
  commands.handler("given_name", [] {});  // a given name is not changed
  CHECK(commands.operations() == names{"given_name", "renamed"});
}

TEST_CASE("a service may share overrides and have another naming") {
  const auto overrides = std::make_shared<msgbus::provider>();
  int offset = 7;
  overrides->override(get_offset, [&]() -> int& { return offset; });
  service commands(overrides, [](std::string_view) { return std::string("x"); });
  commands.handler<shop::train_model>();
  commands.handler("offset", [](msgbus::depends<get_offset> o) { return *o; });
  CHECK(commands.operations() == names{"offset", "x"});
  CHECK(commands.execute<int>("offset") == 7);
}

TEST_CASE("the attached operations are listed, sorted") {
  service commands;
  CHECK(commands.operations().empty());
  auto b = commands.handler("b", [] {});
  commands.handler("c", [] {});
  commands.handler("a", [] {});
  CHECK(commands.operations() == names{"a", "b", "c"});
  b.cancel();
  CHECK(commands.operations() == names{"a", "c"});
}

// --- parameters ----------------------------------------------------------------------------------

TEST_CASE("dependencies and the context may be at any parameter position") {
  service commands;
  int offset = 100;
  commands.override(get_offset, [&]() -> int& { return offset; });
  auto mixed = commands.handler(
      "mixed", [](msgbus::depends<get_offset> first, int a, const msgbus::context& context,
                  std::string b, msgbus::depends<get_five> five, double c, msgbus::context copy,
                  const msgbus::depends<get_offset>& again) {
        CHECK(context.topic().empty());
        CHECK(copy.attempt() == 1);
        CHECK(&first.get() == &again.get());
        return std::to_string(*first + *five + a) + b + std::to_string(static_cast<int>(c));
      });
  STATIC_REQUIRE(std::is_same_v<decltype(mixed),
                                msgbus::sync::operation<std::string(int, std::string, double)>>);
  CHECK(mixed(1, "x", 2.0) == "106x2");
  CHECK(commands.execute<std::string>("mixed", 2, "y", 3.0) == "107y3");
}

TEST_CASE("an error names a missing dependency and the operation that needs it", "[I5]") {
  service commands;
  auto update = commands.handler("update", [](int, msgbus::depends<get_offset>) {});
  CHECK(code_of([&] { update(1); }) == errc::not_provided);
  CHECK_THAT(text_of([&] { commands.execute("update", 1); }), contains("'offset'"));
  CHECK_THAT(text_of([&] { commands.execute("update", 1); }), contains("operation 'update'"));
}

TEST_CASE("a member function is an operation, with its object or a pointer to it") {
  struct account {
    int balance = 0;
    int deposit(int amount) { return balance += amount; }
    [[nodiscard]] int read() const { return balance; }
  };
  service commands;
  account object;
  const account& constant = object;
  const auto shared = std::make_shared<account>();
  commands.handler("deposit", &account::deposit, object);
  commands.handler("read", &account::read, constant);
  commands.handler("deposit shared", &account::deposit, shared);
  CHECK(commands.execute<int>("deposit", 5) == 5);
  CHECK(commands.execute<int>("deposit", 5) == 10);
  CHECK(commands.execute<int>("read") == 10);
  CHECK(commands.execute<int>("deposit shared", 1) == 1);
}

TEST_CASE("a std::function and a lambda with state are operations") {
  service commands;
  const std::function<int(int)> twice = [](int value) { return 2 * value; };
  commands.handler("twice", twice);
  commands.handler("next", [n = 0]() mutable { return ++n; });
  CHECK(commands.execute<int>("twice", 4) == 8);
  CHECK(commands.execute<int>("next") == 1);
  CHECK(commands.execute<int>("next") == 2);
}

// --- lifetimes -----------------------------------------------------------------------------------

TEST_CASE("the captures of a service's operations are destroyed with the service", "[D8]") {
  const auto capture = std::make_shared<int>(0);
  {
    service commands;
    commands.handler("a", [capture] {});
    commands.handler("b", [capture] {});
  }
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a service may be destroyed by its own operation", "[D8]") {
  auto commands = std::make_unique<service>();
  const auto capture = std::make_shared<int>(0);
  commands->handler("end", [&, capture] {
    commands.reset();
    return capture.use_count();
  });
  CHECK(commands->execute<long>("end") == 2);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("an operation that cancels itself still returns its result", "[D6]") {
  service commands;
  const auto capture = std::make_shared<int>(5);
  msgbus::subscription self;
  self = commands.handler("once", [&self, capture] {
    self.cancel();
    CHECK(capture.use_count() == 2);
    return *capture;
  });
  CHECK(commands.execute<int>("once") == 5);
  CHECK(capture.use_count() == 1);
  CHECK(code_of([&] { commands.execute("once"); }) == errc::no_handler);
}

}  // namespace service_test
