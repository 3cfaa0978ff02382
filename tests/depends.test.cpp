#include <msgbus/depends.hpp>

#include "support/catch.hpp"

#include <msgbus/sync.hpp>

#include <string>
#include <vector>

namespace depends_test {

namespace bus = msgbus::sync;
using msgbus::depends;

namespace {

struct placed {
  int id;
};

std::vector<std::string> calls;  // the calls in order; each test clears it

/// Records its construction and its destruction.
struct resource {
  explicit resource(std::string given) : name(std::move(given)) { calls.push_back("+" + name); }
  resource(const resource&) = delete;
  resource& operator=(const resource&) = delete;
  ~resource() { calls.push_back("-" + name); }
  std::string name;
};

resource get_config() { return resource("config"); }
resource get_pool(depends<get_config> config) { return resource("pool(" + config->name + ")"); }
resource get_session(depends<get_pool> pool, depends<get_config> config) {
  return resource("session(" + pool->name + "," + config->name + ")");
}

int stored = 7;
int& get_stored() {
  calls.push_back("stored");
  return stored;
}
const int& get_constant() { return stored; }

constexpr auto get_lambda = [](depends<get_stored> base) { return *base * 10; };

struct functor {
  std::string operator()(depends<get_lambda> number) const { return std::to_string(*number); }
};
inline constexpr functor get_text{};

inline constexpr msgbus::required<int&> get_required{"the required number"};
int needs_required(depends<get_required> value) { return *value; }

resource failing(depends<get_config>) { throw std::runtime_error("cannot be had"); }

}  // namespace

TEST_CASE("a handler gets its dependencies, of every form, in any order", "[I1]") {
  bus::consumer consumer;
  std::string seen;
  consumer.handler([&](const placed& event, depends<get_text> text, const msgbus::context& context,
                       depends<get_stored> number, depends<get_lambda> tenfold) {
    seen = std::to_string(event.id) + " " + *text + " " + std::to_string(*number) + " " +
           std::to_string(*tenfold) + " " + std::to_string(context.attempt());
  });
  consumer.consume(placed{1});
  CHECK(seen == "1 70 7 70 1");
}

TEST_CASE("a dependency is resolved once per invocation, however many name it", "[I1]") {
  calls.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<get_config> a, depends<get_session>,
                      depends<get_config> b, depends<get_pool>) { CHECK(&*a == &*b); });
  consumer.consume(placed{1});
  CHECK(calls ==
        std::vector<std::string>{"+config", "+pool(config)", "+session(pool(config),config)",
                                 "-session(pool(config),config)", "-pool(config)", "-config"});
  consumer.consume(placed{2});
  CHECK(calls.size() == 12);
}

TEST_CASE("two handlers of one event are two invocations", "[I1]") {
  calls.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<get_config>) { calls.push_back("first"); });
  consumer.handler([](const placed&, depends<get_config>) { calls.push_back("second"); });
  consumer.consume(placed{1});
  CHECK(calls ==
        std::vector<std::string>{"+config", "first", "-config", "+config", "second", "-config"});
}

TEST_CASE("a dependency that no handler names is not resolved", "[I1]") {
  calls.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<get_constant>) {});
  consumer.consume(placed{1});
  CHECK(calls.empty());
}

TEST_CASE("dependencies are released in reverse order also if the handler throws", "[I2]") {
  calls.clear();
  bus::consumer consumer;
  consumer.handler([](const placed&, depends<get_pool>) {
    calls.push_back("handler");
    throw std::runtime_error("no");
  });
  CHECK_THROWS_WITH(consumer.consume(placed{1}), "no");
  CHECK(calls == std::vector<std::string>{"+config", "+pool(config)", "handler", "-pool(config)",
                                          "-config"});
}

TEST_CASE("a failing dependency fails the invocation, and resolved ones are released", "[I2][D2]") {
  calls.clear();
  bus::consumer consumer;
  bool ran = false;
  consumer.handler([&](const placed&, depends<failing>) { ran = true; });
  CHECK_THROWS_WITH(consumer.consume(placed{1}), "cannot be had");
  CHECK_FALSE(ran);
  CHECK(calls == std::vector<std::string>{"+config", "-config"});
}

TEST_CASE("an error names the missing required dependency and its requester", "[I5]") {
  bus::consumer consumer;
  bool ran = false;
  consumer.handler([&](const placed&, depends<get_required>) { ran = true; });
  try {
    consumer.consume(placed{1});
    FAIL("it was provided by nobody");
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::not_provided);
    CHECK_THAT(e.what(), msgbus_test::contains("'the required number'"));
    CHECK_THAT(e.what(), msgbus_test::contains("int"));
    CHECK_THAT(e.what(), msgbus_test::contains("placed"));
  }
  CHECK_FALSE(ran);
}

TEST_CASE("an error names a missing dependency of a dependency, and the one that needs it",
          "[I5]") {
  bus::service service;
  service.handler("ask", [](depends<needs_required> value) { return *value; });
  try {
    service.execute<int>("ask");
    FAIL("it was provided by nobody");
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::not_provided);
    CHECK_THAT(e.what(), msgbus_test::contains("'the required number'"));
    CHECK_THAT(e.what(), msgbus_test::contains("needs_required"));
    CHECK_THAT(e.what(), msgbus_test::contains("operation 'ask'"));
  }
}

TEST_CASE("a missing dependency fails only its handler", "[I5][D2]") {
  bus::consumer consumer;
  bool other = false;
  consumer.handler([](const placed&, depends<get_required>) {});
  consumer.handler([&](const placed&) { other = true; });
  CHECK_THROWS_AS(consumer.consume(placed{1}), msgbus::error);
  CHECK(other);
}

TEST_CASE("depends is constructible from a value, so a test may call a handler directly") {
  const auto handle = [](const placed& event, depends<get_stored> number) {
    *number += event.id;
    return number.get();
  };
  int mine = 1;
  CHECK(handle(placed{2}, mine) == 3);
  CHECK(mine == 3);
  const auto read = [](depends<get_text> text) -> std::string { return *text; };
  CHECK(read(std::string("given")) == "given");
  const auto constant = [](depends<get_constant> value) -> const int& { return value; };
  const int there = 5;
  CHECK(&constant(there) == &there);
}

TEST_CASE("operations get dependencies at any parameter position", "[I1]") {
  bus::service service;
  auto add = service.handler(
      "add", [](depends<get_stored> base, int a, const msgbus::context&,
                depends<get_lambda> tenfold, int b) { return *base + *tenfold + a - b; });
  CHECK(add(5, 2) == 7 + 70 + 5 - 2);
  CHECK(service.execute<int>("add", 5, 2) == 80);
}

TEST_CASE("topic handlers get dependencies and the topic they were called for", "[I1]") {
  bus::subscriber subscriber;
  std::string seen;
  subscriber.subscribe("a.*", [&](const placed&, depends<get_stored> n, const msgbus::context& c) {
    seen = std::string(c.topic()) + std::to_string(*n);
  });
  subscriber.receive(placed{1}, "a.b");
  CHECK(seen == "a.b7");
}

}  // namespace depends_test
