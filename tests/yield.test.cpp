#include <msgbus/yield.hpp>

#include "support/catch.hpp"

#include <msgbus/sync.hpp>

#include <string>
#include <vector>

namespace yield_test {

namespace bus = msgbus::sync;
using msgbus::depends;

namespace {

struct placed {};

std::vector<std::string> steps;  // each test clears it

struct session {
  std::string name;
};

void open_session(msgbus::yield<session&> yield) {
  session s{"session"};
  steps.push_back("begin");
  try {
    yield(s);
  } catch (const std::exception& e) {
    steps.push_back(std::string("rollback: ") + e.what());
    throw;
  }
  steps.push_back("commit");
}

// Needs the first session, so it is resolved after it and ends before it.
void open_transaction(msgbus::yield<session> yield, depends<open_session> outer) {
  steps.push_back("begin inner");
  try {
    yield(session{outer->name + ".inner"});
  } catch (const std::exception& e) {
    steps.push_back(std::string("rollback inner: ") + e.what());
    throw;
  }
  steps.push_back("commit inner");
}

void swallowing(msgbus::yield<int> yield) {
  try {
    yield(1);
  } catch (...) {
    steps.push_back("swallowed");
  }
}

void swallowing_inside(msgbus::yield<int> yield, depends<open_session>) {
  try {
    yield(1);
  } catch (...) {
    steps.push_back("swallowed");
  }
}

void failing_at_the_end(msgbus::yield<int> yield) {
  try {
    yield(1);
  } catch (...) {
    throw std::runtime_error("clean-up after failure");
  }
  throw std::runtime_error("clean-up after success");
}

void never_yields(msgbus::yield<int>) {}
void yields_twice(msgbus::yield<int> yield) {
  yield(1);
  yield(2);
}
void yields_twice_quietly(msgbus::yield<int> yield) {
  yield(1);
  try {
    yield(2);
  } catch (...) {
    steps.push_back("hidden");
  }
}
void fails_before(msgbus::yield<int>) { throw std::runtime_error("before"); }

struct movable {
  explicit movable(int n) : number(n) {}
  movable(movable&&) = default;
  movable& operator=(movable&&) = delete;
  int number;
};
void gives_movable(msgbus::yield<movable> yield) { yield(movable(3)); }

}  // namespace

TEST_CASE("a dependency with clean-up continues after the handler has succeeded", "[I2][I3]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler(
      [](const placed&, depends<open_session> s) { steps.push_back("handler " + s->name); });
  CHECK(consumer.consume(placed{}) == 1);
  CHECK(steps == std::vector<std::string>{"begin", "handler session", "commit"});
}

TEST_CASE("yield throws the handler's exception, and the verb throws the same object", "[I3][D2]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<open_session>) { throw std::logic_error("broken"); });
  CHECK_THROWS_AS(consumer.consume(placed{}), std::logic_error);
  CHECK(steps == std::vector<std::string>{"begin", "rollback: broken"});
}

TEST_CASE("clean-ups nest, and the last resolved one ends first", "[I2][I3]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<open_transaction> t, depends<open_session>) {
    steps.push_back(t->name);
  });
  consumer.consume(placed{});
  CHECK(steps == std::vector<std::string>{"begin", "begin inner", "session.inner", "commit inner",
                                          "commit"});
  steps.clear();
  bus::consumer unlucky;
  unlucky.handler([](const placed&, depends<open_transaction>) { throw std::runtime_error("x"); });
  CHECK_THROWS_WITH(unlucky.consume(placed{}), "x");
  CHECK(steps ==
        std::vector<std::string>{"begin", "begin inner", "rollback inner: x", "rollback: x"});
}

TEST_CASE("a clean-up that swallows the failure does not hide it", "[I3]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<swallowing>) { throw std::logic_error("kept"); });
  CHECK_THROWS_AS(consumer.consume(placed{}), std::logic_error);
  CHECK(steps == std::vector<std::string>{"swallowed"});
}

TEST_CASE("a clean-up that swallows the failure does not hide it from outer clean-ups", "[I3]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler(
      [](const placed&, depends<swallowing_inside>) { throw std::logic_error("kept"); });
  CHECK_THROWS_WITH(consumer.consume(placed{}), "kept");
  CHECK(steps == std::vector<std::string>{"begin", "swallowed", "rollback: kept"});
}

TEST_CASE("a clean-up that fails is reported alone after success, and with the failure after one",
          "[I3]") {
  bus::consumer consumer;
  bool fails = false;
  consumer.handler([&](const placed&, depends<failing_at_the_end>) {
    if (fails) throw std::logic_error("the handler");
  });
  CHECK_THROWS_WITH(consumer.consume(placed{}), "clean-up after success");
  fails = true;
  try {
    consumer.consume(placed{});
    FAIL("both have failed");
  } catch (const msgbus::dispatch_error& e) {
    REQUIRE(e.errors().size() == 2);
    CHECK_THROWS_AS(std::rethrow_exception(e.errors()[0]), std::logic_error);
    CHECK_THROWS_WITH(std::rethrow_exception(e.errors()[1]), "clean-up after failure");
  }
}

TEST_CASE("failures of several handlers and clean-ups are one list in handler order", "[I3][D2]") {
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<failing_at_the_end>) { throw std::logic_error("1"); });
  consumer.handler([](const placed&) { throw std::logic_error("2"); });
  try {
    consumer.consume(placed{});
    FAIL("all have failed");
  } catch (const msgbus::dispatch_error& e) {
    REQUIRE(e.errors().size() == 3);
    CHECK(msgbus::describe(e.errors()[0]) == "1");
    CHECK(msgbus::describe(e.errors()[1]) == "clean-up after failure");
    CHECK(msgbus::describe(e.errors()[2]) == "2");
  }
}

TEST_CASE("operations report failing clean-ups, and return results through clean-ups", "[I3]") {
  bus::service service;
  auto fine = service.handler(
      "fine", [](depends<gives_movable> m, int n) { return std::make_unique<int>(m->number + n); });
  CHECK(*fine(4) == 7);
  auto result = service.execute<std::unique_ptr<int>>("fine", 5);
  CHECK(*result == 8);
  auto reference = service.handler("ref", [](depends<open_session>) -> const std::string& {
    static const std::string text = "kept";
    return text;
  });
  CHECK(&reference() == &reference());
  auto failed = service.handler(
      "failed", [](depends<failing_at_the_end>) -> int { throw std::logic_error("x"); });
  CHECK_THROWS_AS(failed(), msgbus::dispatch_error);
  auto late = service.handler("late", [](depends<failing_at_the_end>) { return 1; });
  CHECK_THROWS_WITH(late(), "clean-up after success");
}

TEST_CASE("a dependency that never yields is a misuse, and the error names it", "[I5]") {
  bus::consumer consumer;
  bool ran = false;
  consumer.handler([&](const placed&, depends<never_yields>) { ran = true; });
  try {
    consumer.consume(placed{});
    FAIL("it did not yield");
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::misused_dependency);
    CHECK_THAT(e.what(), msgbus_test::contains("never_yields"));
  }
  CHECK_FALSE(ran);
}

TEST_CASE("a dependency that yields twice is a misuse, and runs the handler once", "[I5]") {
  bus::consumer consumer;
  int ran = 0;
  consumer.handler([&](const placed&, depends<yields_twice>) { ++ran; });
  CHECK_THROWS_MATCHES(consumer.consume(placed{}), msgbus::error,
                       Catch::Matchers::Predicate<msgbus::error>([](const msgbus::error& e) {
                         return e.code() == msgbus::errc::misused_dependency;
                       }));
  CHECK(ran == 1);
}

TEST_CASE("a second yield is reported also if the dependency hides it", "[I5]") {
  steps.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<yields_twice_quietly>) {});
  CHECK_THROWS_AS(consumer.consume(placed{}), msgbus::error);
  CHECK(steps == std::vector<std::string>{"hidden"});
}

TEST_CASE("a failure before yield is the invocation's failure", "[I5][D2]") {
  bus::consumer consumer;
  bool ran = false;
  consumer.handler([&](const placed&, depends<fails_before>) { ran = true; });
  CHECK_THROWS_WITH(consumer.consume(placed{}), "before");
  CHECK_FALSE(ran);
}

TEST_CASE("the observer gets the failures of the handler and of the clean-up", "[I3]") {
  bus::consumer consumer;
  auto counting = std::make_shared<msgbus::counting_observer>();
  consumer.observe(counting);
  consumer.handler([](const placed&, depends<failing_at_the_end>) { throw std::logic_error("x"); });
  CHECK_THROWS(consumer.consume(placed{}));
  CHECK(counting->failed() == 2);
  CHECK(counting->delivered() == 0);
}

TEST_CASE("an override that misuses yield is reported by the name of the replaced dependency",
          "[I5]") {
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<swallowing>) {});
  consumer.override(swallowing, [](msgbus::yield<int>) {});
  CHECK_THROWS_WITH(consumer.consume(placed{}), msgbus_test::contains("swallowing"));
}

}  // namespace yield_test
