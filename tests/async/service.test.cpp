#include <msgbus/async/service.hpp>

#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <any>
#include <memory>
#include <string>
#include <vector>

namespace service_test {

using asio::awaitable;
using msgbus::async::service;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::text_of;

namespace {

int base_value() { return 100; }
awaitable<int> awaited_value() {
  co_await hop();
  co_return 1000;
}
awaitable<int> train_model(int epochs) {
  co_await hop();
  co_return epochs * 2;
}
void reset_model() {}
inline constexpr msgbus::required<int> wanted{"wanted"};

}  // namespace

TEST_CASE("an async service gives the result of a plain and of a coroutine operation", "[A1]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("plain", [](int a, int b) { return a + b; });
  commands.handler("awaited", [](int a, std::string b) -> awaitable<std::string> {
    co_await hop(2);
    co_return b + std::to_string(a);
  });
  commands.handler("nothing", [](int) -> awaitable<void> { co_await hop(); });
  CHECK(context.run(commands.execute<int>("plain", 1, 2)) == 3);
  CHECK(context.run(commands.execute<std::string>("awaited", 1, "b")) == "b1");
  context.run(commands.execute("nothing", 1));
  context.run(commands.execute("awaited", 1, "discarded"));
  CHECK(commands.stats().handled == 4);
}

TEST_CASE("a result and arguments convert where nothing is lost", "[T5]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("half", [](double x) -> awaitable<float> {
    co_await hop();
    co_return static_cast<float>(x / 2);
  });
  CHECK(context.run(commands.execute<double>("half", 3)) == 1.5);
  CHECK(code_of([&] { context.run(commands.execute<std::string>("half", 3)); }) ==
        msgbus::errc::type_mismatch);
  CHECK(code_of([&] { context.run(commands.execute("half", std::string("x"))); }) ==
        msgbus::errc::bad_arguments);
  CHECK(code_of([&] { context.run(commands.execute("half")); }) == msgbus::errc::bad_arguments);
  const std::string text = text_of([&] { context.run(commands.execute("half", 1.0, "more")); });
  CHECK_THAT(text, contains("half"));
  CHECK_THAT(text, contains("double"));
}

TEST_CASE("executing without an operation is no_handler, and names those that are there", "[D3]") {
  stepping_context context;
  service commands(context.get_executor());
  CHECK(code_of([&] { context.run(commands.execute("x")); }) == msgbus::errc::no_handler);
  commands.handler("update", [] {});
  const std::string text = text_of([&] { context.run(commands.execute("updat", 1)); });
  CHECK_THAT(text, contains("updat"));
  CHECK_THAT(text, contains("update"));
  CHECK(commands.unrouted() == 2);
  CHECK(commands.stats().failed == 2);
  CHECK(msgbus_test::is_conserved(commands.stats()));
}

TEST_CASE("an operation's name is taken until it is cancelled") {
  stepping_context context;
  service commands(context.get_executor());
  auto first = commands.handler("update", [] { return 1; });
  CHECK(code_of([&] { commands.handler("update", [] { return 2; }); }) ==
        msgbus::errc::duplicate_handler);
  first.cancel();
  commands.handler("update", []() -> awaitable<int> { co_return 2; });
  CHECK(context.run(commands.execute<int>("update")) == 2);
  CHECK(code_of([&] { context.run(first()); }) == msgbus::errc::no_handler);
}

TEST_CASE("the exception of an operation leaves unchanged", "[D2]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("plain", [] { throw std::out_of_range("p"); });
  commands.handler("awaited", []() -> awaitable<int> {
    co_await hop();
    throw std::out_of_range("a");
  });
  CHECK_THROWS_AS(context.run(commands.execute("plain")), std::out_of_range);
  CHECK_THROWS_AS(context.run(commands.execute<int>("awaited")), std::out_of_range);
}

TEST_CASE("an async operation's dependencies and context may stand anywhere", "[I1]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("first", [](msgbus::depends<base_value> base, int a) { return *base + a; });
  commands.handler("mixed",
                   [](int a, msgbus::depends<awaited_value> more, const msgbus::context& known,
                      std::string b, msgbus::depends<base_value> base) -> awaitable<std::string> {
                     co_await hop();
                     CHECK(known.attempt() == 1);
                     co_return b + std::to_string(a + *more + *base);
                   });
  auto plain_with_awaited = commands.handler(
      "plain", [](msgbus::depends<awaited_value> more, int a) { return *more + a; });
  CHECK(context.run(commands.execute<int>("first", 1)) == 101);
  CHECK(context.run(commands.execute<std::string>("mixed", 1, "b")) == "b1101");
  CHECK(context.run(plain_with_awaited(2)) == 1002);
}

TEST_CASE("an async operation takes and returns move-only values", "[D9]") {
  stepping_context context;
  service commands(context.get_executor());
  auto twice =
      commands.handler("twice", [](std::unique_ptr<int> of) -> awaitable<std::unique_ptr<int>> {
        co_await hop();
        *of *= 2;
        co_return std::move(of);
      });
  auto plain = commands.handler("plain", [](std::unique_ptr<int> of) { return of; });
  auto with_policy = commands.handler("policy", [](std::unique_ptr<int> of) { return of; },
                                      {.timeout = std::chrono::seconds(5)});
  CHECK(*context.run(twice(std::make_unique<int>(4))) == 8);
  CHECK(*context.run(plain(std::make_unique<int>(4))) == 4);
  CHECK(*context.run(with_policy(std::make_unique<int>(4))) == 4);
  CHECK(*context.run(commands.execute<std::unique_ptr<int>>("twice", std::make_unique<int>(5))) ==
        10);
}

TEST_CASE("an operation's variable is the caller's, also across a suspension") {
  stepping_context context;
  service commands(context.get_executor());
  auto add = commands.handler("add", [](int& to, int what) -> awaitable<void> {
    co_await hop();
    to += what;
  });
  int total = 1;
  context.run(add(total, 4));
  CHECK(total == 5);
}

TEST_CASE("arguments are kept while an operation is suspended") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("length", [](const std::string& text, std::string_view more) -> awaitable<int> {
    co_await hop(3);
    co_return static_cast<int>(text.size() + more.size());
  });
  auto started = [&] {
    const std::string gone(100, 'x');
    return context.spawn(commands.execute<int>("length", gone, std::string(50, 'y')));
  }();
  context.run();
  CHECK(started.get() == 150);
}

TEST_CASE("a retried operation gets its arguments again", "[I1]") {
  stepping_context context;
  msgbus::testing::manual_clock clock(context);
  service commands(context.get_executor());
  std::vector<std::string> seen;
  auto update = commands.handler("update",
                                 [&](std::string text) -> awaitable<int> {
                                   co_await hop();
                                   seen.push_back(std::move(text));
                                   if (seen.size() < 3) throw std::runtime_error("not yet");
                                   co_return static_cast<int>(seen.size());
                                 },
                                 {.retry = {.attempts = 5}});
  CHECK(clock.run(context, update("text")) == 3);
  CHECK(seen == std::vector<std::string>(3, "text"));
}

TEST_CASE("functions are operations under names made of their own") {
  stepping_context context;
  service commands(context.get_executor());
  auto train = commands.handler<train_model>();
  commands.handler<reset_model>();
  CHECK(commands.operations() == std::vector<std::string>{"reset-model", "train-model"});
  CHECK(context.run(train(4)) == 8);
  CHECK(context.run(commands.execute<int>("train-model", 5)) == 10);
  service shouting(context.get_executor(), nullptr, [](std::string_view) { return "X"; });
  CHECK(shouting.handler<train_model>().name() == "X");
}

TEST_CASE("a member function may be an async operation") {
  struct counter {
    awaitable<int> add(int what) {
      co_await hop();
      co_return total += what;
    }
    int total = 0;
  };
  stepping_context context;
  service commands(context.get_executor());
  counter here;
  auto add = commands.handler("add", &counter::add, here);
  CHECK(context.run(add(2)) == 2);
  CHECK(context.run(commands.execute<int>("add", 3)) == 5);
}

TEST_CASE("an operation may execute others of its service", "[D5]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("fact", [&](int n) -> awaitable<long> {
    co_await hop();
    if (n <= 1) co_return 1;
    const long before = co_await commands.execute<long>("fact", n - 1);
    co_return n* before;
  });
  CHECK(context.run(commands.execute<long>("fact", 6)) == 720);
}

TEST_CASE("a result of a type that takes anything is the handler's, whatever is overridden",
          "[I4]") {
  stepping_context context;
  service commands(context.get_executor());
  commands.handler("plain", [](msgbus::depends<wanted> value) -> std::any { return *value; });
  commands.handler("awaited", [](msgbus::depends<wanted> value) -> awaitable<std::any> {
    co_await hop();
    co_return *value;
  });
  SECTION("by a value") {
    commands.override(wanted, [] { return 5; });
  }
  SECTION("by one that cleans up") {
    commands.override(wanted, [](msgbus::async::yield<int> yield) -> awaitable<void> {
      co_await yield(5);
      co_await hop();
    });
  }
  for (const char* name : {"plain", "awaited"}) {
    const auto result = context.run(commands.execute<std::any>(name));
    REQUIRE(std::any_cast<int>(&result));
    CHECK(std::any_cast<int>(result) == 5);
  }
}

TEST_CASE("a plain operation takes a depends by reference, also where it runs later", "[I1]") {
  stepping_context context;
  service commands(context.get_executor());
  const auto sum = [](int a, const msgbus::depends<wanted>& b,
                      const msgbus::depends<base_value>& c) { return a + *b + *c; };
  commands.handler("sum", sum);
  commands.handler("again", sum, {.retry = {.attempts = 2}});
  commands.override(wanted, awaited_value);
  CHECK(context.run(commands.execute<int>("sum", 1)) == 1101);
  CHECK(context.run(commands.execute<int>("again", 2)) == 1102);
}

}  // namespace service_test
