#include <msgbus/provider.hpp>

#include "support/catch.hpp"

#include <msgbus/sync.hpp>

#include <string>
#include <vector>

namespace provider_test {

namespace bus = msgbus::sync;
using msgbus::depends;

namespace {

struct ask {};

std::vector<std::string> calls;  // each test clears it

std::string get_name() {
  calls.push_back("name");
  return "default";
}
std::string get_greeting(depends<get_name> name) { return "hello " + *name; }
std::string get_letter(depends<get_greeting> greeting, depends<get_name> name) {
  return *greeting + ", dear " + *name;
}

inline constexpr msgbus::required<std::string> get_signature{"signature"};

struct shape {
  virtual ~shape() = default;
  [[nodiscard]] virtual int sides() const = 0;
};
struct square : shape {
  [[nodiscard]] int sides() const override { return 4; }
};
struct triangle : shape {
  [[nodiscard]] int sides() const override { return 3; }
};
square the_square;
shape& get_shape() { return the_square; }
inline constexpr msgbus::required<const shape&> get_const_shape{"shape"};

void clean(msgbus::yield<std::string> yield) {
  calls.push_back("open");
  yield("cleaned");
  calls.push_back("close");
}

/// Runs a handler with these dependencies in a component, and returns their values.
template <const auto&... Ds>
std::string resolved(bus::service& service) {
  std::string all;
  auto op = service.handler("resolve", [&](depends<Ds>... values) {
    ((all += (all.empty() ? "" : "; ") + std::string(*values)), ...);
  });
  const msgbus::scoped_subscription until_end = op;
  op();
  return all;
}

}  // namespace

TEST_CASE("an override replaces a dependency, and restore removes the override", "[I4]") {
  bus::service service;
  CHECK(resolved<get_name>(service) == "default");
  service.override(get_name, [] { return std::string("Ada"); });
  CHECK(resolved<get_name>(service) == "Ada");
  service.override(get_name, [] { return std::string("Grace"); });
  CHECK(resolved<get_name>(service) == "Grace");
  service.restore(get_name);
  CHECK(resolved<get_name>(service) == "default");
  service.restore(get_name);
  CHECK(resolved<get_name>(service) == "default");
}

TEST_CASE("an override reaches sub-dependencies, and its default is not called", "[I4][I1]") {
  calls.clear();
  bus::service service;
  service.override(get_name, [] { return std::string("Ada"); });
  CHECK(resolved<get_letter>(service) == "hello Ada, dear Ada");
  CHECK(calls.empty());
}

TEST_CASE("a dependency that only an overridden one needs is not resolved", "[I1][I4]") {
  calls.clear();
  bus::service service;
  SECTION("by value, on the slow path") {
    service.override(get_greeting, [] { return std::string("hi"); });
  }
  SECTION("by reference, on the fast path") {
    static std::string text = "hi";
    service.override(get_greeting, []() -> std::string& { return text; });
  }
  CHECK(resolved<get_greeting>(service) == "hi");
  CHECK(calls.empty());
  CHECK(resolved<get_letter>(service) == "hi, dear default");
  CHECK(calls == std::vector<std::string>{"name"});
}

TEST_CASE("an implementation may have dependencies of its own, each resolved once", "[I4][I1]") {
  calls.clear();
  bus::service service;
  service.override(get_greeting,
                   [](depends<get_name> n, depends<get_signature> s) { return *n + "/" + *s; });
  int signed_times = 0;
  service.override(get_signature, [&] {
    ++signed_times;
    return std::string("S");
  });
  CHECK(resolved<get_signature, get_greeting, get_name>(service) == "S; default/S; default");
  CHECK(signed_times == 1);
  CHECK(calls == std::vector<std::string>{"name"});
}

TEST_CASE("a plain dependency may be replaced by one with clean-up", "[I4][I2]") {
  calls.clear();
  bus::service service;
  service.override(get_name, clean);
  CHECK(resolved<get_letter>(service) == "hello cleaned, dear cleaned");
  CHECK(calls == std::vector<std::string>{"open", "close"});
}

TEST_CASE("a dependency with clean-up may be replaced by a plain one", "[I4]") {
  calls.clear();
  bus::service service;
  service.override(clean, [] { return std::string("plain"); });
  CHECK(resolved<clean>(service) == "plain");
  CHECK(calls.empty());
}

TEST_CASE("a function may implement a dependency", "[I4]") {
  bus::service service;
  service.override(get_signature, get_greeting);
  CHECK(resolved<get_signature>(service) == "hello default");
}

TEST_CASE("a value of an override lives until the handler has ended", "[I2][I4]") {
  static int alive = 0;
  struct counted : triangle {
    counted() { ++alive; }
    counted(const counted&) { ++alive; }
    counted& operator=(const counted&) = delete;
    ~counted() override { --alive; }
  };
  bus::service service;
  service.override(get_shape, [] { return counted(); });
  auto sides = service.handler("sides", [](depends<get_shape> s) {
    CHECK(alive == 1);
    return s->sides();
  });
  CHECK(sides() == 3);
  CHECK(alive == 0);
}

TEST_CASE("an override of a reference may return a derived class, or a non-const reference",
          "[I4]") {
  bus::service service;
  triangle mine;
  service.override(get_shape, [&]() -> triangle& { return mine; });
  service.override(get_const_shape, [&]() -> triangle& { return mine; });
  auto sides = service.handler("sides", [](depends<get_shape> a, depends<get_const_shape> b) {
    return a->sides() * 10 + b->sides();
  });
  CHECK(sides() == 33);
}

TEST_CASE("an override of a value may return a type that converts to it", "[I4]") {
  bus::service service;
  service.override(get_name, [] { return "literal"; });
  CHECK(resolved<get_name>(service) == "literal");
}

TEST_CASE("scoped overrides end with their guards, in any order", "[I4]") {
  bus::service service;
  service.override(get_name, [] { return std::string("base"); });
  {
    // when: two scoped overrides are added
    auto first = std::make_unique<msgbus::override_guard>(
        service.scoped_override(get_name, [] { return std::string("first"); }));
    CHECK(resolved<get_name>(service) == "first");
    {
      const auto second = service.scoped_override(get_name, [] { return std::string("second"); });
      CHECK(resolved<get_name>(service) == "second");
      // when: the first one ends before the second
      first.reset();
      CHECK(resolved<get_name>(service) == "second");
    }
    // then: after both, the lasting override applies again
    CHECK(resolved<get_name>(service) == "base");
  }
  service.restore(get_name);
  CHECK(resolved<get_name>(service) == "default");
}

TEST_CASE("an override guard may outlive its component, and restore may precede its end", "[I4]") {
  auto service = std::make_unique<bus::service>();
  const auto guard = service->scoped_override(get_name, [] { return std::string("scoped"); });
  service->restore(get_name);
  CHECK(resolved<get_name>(*service) == "default");
  service.reset();
}

TEST_CASE("components may share their overrides", "[I4]") {
  auto shared = std::make_shared<msgbus::provider>();
  bus::service first(shared);
  bus::service second(shared);
  bus::consumer third(shared);
  bus::service alone;
  first.override(get_name, [] { return std::string("shared"); });
  CHECK(resolved<get_name>(second) == "shared");
  CHECK(resolved<get_name>(alone) == "default");
  std::string seen;
  third.handler([&](const ask&, depends<get_name> name) { seen = *name; });
  third.consume(ask{});
  CHECK(seen == "shared");
}

TEST_CASE("an override applies to invocations that start after it", "[I4]") {
  bus::consumer consumer;
  std::vector<std::string> seen;
  consumer.handler([&](const ask&, depends<get_name> name) {
    seen.push_back(*name);
    consumer.override(get_name, [] { return std::string("later"); });
    seen.push_back(*name);
  });
  consumer.handler([&](const ask&, depends<get_name> name) {
    seen.push_back(*name);
    consumer.restore(get_name);  // does not wait inside a handler
    seen.push_back(*name);
  });
  consumer.consume(ask{});
  CHECK(seen == std::vector<std::string>{"default", "default", "later", "later"});
}

TEST_CASE("overrides that depend on each other are a cycle, which the error names", "[I5]") {
  bus::service service;
  service.override(get_name, [](depends<get_greeting> g) { return *g; });
  try {
    resolved<get_letter>(service);
    FAIL("it goes round in circles");
  } catch (const msgbus::error& e) {
    CHECK(e.code() == msgbus::errc::misused_dependency);
    CHECK_THAT(e.what(), msgbus_test::contains("get_greeting"));
    CHECK_THAT(e.what(), msgbus_test::contains("get_name -> "));
    CHECK_THAT(e.what(), msgbus_test::contains("operation 'resolve'"));
  }
}

TEST_CASE("an override that needs the replaced dependency is a cycle", "[I5]") {
  bus::service service;
  service.override(get_name, [](depends<get_name> n) { return *n + "!"; });
  CHECK_THROWS_WITH(resolved<get_name>(service), msgbus_test::contains("get_name -> "));
}

}  // namespace provider_test
