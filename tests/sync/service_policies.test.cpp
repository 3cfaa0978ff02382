// Operations of sync services with a policy.

#include <msgbus/sync/service.hpp>

#include <msgbus/depends.hpp>
#include <msgbus/error.hpp>
#include <msgbus/failure.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace service_policies_test {

using msgbus::circuit_breaker;
using msgbus::errc;
using msgbus::sync::service;
using msgbus_test::code_of;
using msgbus_test::failing;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

int resolved = 0;
int counted_value() { return ++resolved; }

struct printer {
  int print(std::string text) {
    ++calls;
    if (calls < 2) throw std::runtime_error("out of paper");
    return static_cast<int>(text.size());
  }
  int calls = 0;
};

int half(int n) {
  if (n % 2 != 0) throw std::runtime_error("odd");
  return n / 2;
}

}  // namespace

TEST_CASE("an operation is repeated at once, each time with its arguments and new dependencies",
          "[I1]") {
  service commands;
  failing twice(2);
  resolved = 0;
  std::vector<unsigned> attempts;
  std::vector<std::string> given;
  auto rename = commands.handler(
      "rename",
      [&](std::string name, msgbus::depends<counted_value> value, const msgbus::context& known) {
        attempts.push_back(known.attempt());
        given.push_back(std::move(name));
        twice.run();
        return *value;
      },
      {.retry = {.attempts = 3}});
  SECTION("by name") { CHECK(commands.execute<int>("rename", "Alice") == 3); }
  SECTION("called directly") { CHECK(rename("Alice") == 3); }
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  CHECK(given == std::vector<std::string>(3, "Alice"));
  CHECK(resolved == 3);
}

TEST_CASE("the exception of an operation's last attempt leaves the call unchanged", "[D2]") {
  service commands;
  failing often(9);
  commands.handler("fail", [&] { often.run(); }, {.retry = {.attempts = 2}});
  CHECK(text_of([&] { commands.execute("fail"); }) == "no 2");
}

TEST_CASE("operations that give references and nothing are repeated, too") {
  service commands;
  failing once(1);
  int value = 5;
  auto get = commands.handler("get",
                              [&]() -> int& {
                                once.run();
                                return value;
                              },
                              {.retry = {.attempts = 2}});
  CHECK(&get() == &value);
  once = failing(1);
  auto raise = commands.handler("raise",
                                [&](int& by) {
                                  once.run();
                                  ++by;
                                },
                                {.retry = {.attempts = 2}});
  raise(value);
  CHECK(value == 6);
}

TEST_CASE("arguments of a wrong type use up no attempt and say nothing to a breaker", "[P3]") {
  service commands;
  const auto breaker = std::make_shared<circuit_breaker>(msgbus::breaker_options{.minimum = 1});
  int runs = 0;
  commands.handler("add", [&](int) { ++runs; }, {.breaker = breaker, .retry = {.attempts = 3}});
  CHECK(code_of([&] { commands.execute("add", std::vector<int>{}); }) == errc::bad_arguments);
  CHECK(runs == 0);
  CHECK(breaker->current() == circuit_breaker::state::closed);
}

TEST_CASE("operations that share a breaker fail at once while it is open") {
  service commands;
  const auto bank = std::make_shared<circuit_breaker>(
      msgbus::breaker_options{.minimum = 2, .open_for = 1h, .max_open_for = 1h, .name = "bank"});
  failing often(9);
  auto charge = commands.handler("charge", [&](int) { often.run(); },
                                 {.breaker = bank, .retry = {.attempts = 5}});
  auto refund = commands.handler("refund", [&](int) { often.run(); }, {.breaker = bank});
  CHECK(code_of([&] { charge(1); }) == errc::circuit_open);
  CHECK(code_of([&] { refund(1); }) == errc::circuit_open);
  CHECK(often.runs == 2);
  bank->reset();
  often.left = 0;
  refund(1);
  CHECK(often.runs == 3);
}

TEST_CASE("an operation beyond its rate limit is refused") {
  service commands;
  int runs = 0;
  auto ask = commands.handler("ask", [&] { ++runs; }, {.rate_limit = {.permits = 2, .per = 1h}});
  ask();
  ask();
  CHECK(code_of([&] { ask(); }) == errc::rate_limited);
  CHECK(code_of([&] { commands.execute("ask"); }) == errc::rate_limited);
  CHECK(runs == 2);
}

TEST_CASE("member functions and functions without a name take a policy, too") {
  service commands;
  printer laser;
  auto print = commands.handler("print", &printer::print, laser, {.retry = {.attempts = 2}});
  CHECK(print("three") == 5);
  auto divide = commands.handler<half>({.retry = {.attempts = 2}});
  CHECK(divide.name() == "half");
  CHECK(divide(4) == 2);
}

TEST_CASE("an argument that cannot be copied is for policies without retries") {
  service commands;
  const auto sum = [](std::unique_ptr<int> n) { return *n + 1; };
  const auto breaker = std::make_shared<circuit_breaker>();
  auto add = commands.handler("add", sum, {.breaker = breaker});
  CHECK(add(std::make_unique<int>(4)) == 5);
  CHECK(code_of([&] { commands.handler("more", sum, {.retry = {.attempts = 2}}); }) ==
        errc::unsupported);
  CHECK(commands.operations() == std::vector<std::string>{"add"});
}

TEST_CASE("a cancelled operation with a policy has stopped, and its captures are gone", "[D6]") {
  service commands;
  auto held = std::make_shared<int>(1);
  auto add =
      commands.handler("add", [held](int n) { return *held + n; }, {.retry = {.attempts = 2}});
  add.cancel();
  CHECK(held.use_count() == 1);
  CHECK(code_of([&] { (void)add(1); }) == errc::no_handler);
}

}  // namespace service_policies_test
