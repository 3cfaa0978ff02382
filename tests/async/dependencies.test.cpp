// What async handlers need: dependencies of every form, in handlers of both.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace dependencies_test {

using asio::awaitable;
using msgbus::depends;
using msgbus::async::consumer;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::text_of;

namespace {

struct placed {
  int id = 0;
};

std::string events_log;  // what dependencies do, in order
struct session {
  explicit session(std::string with) : name(std::move(with)) { events_log += "+" + name; }
  session(const session&) = delete;
  ~session() { events_log += "-" + name; }
  std::string name;
};

int calls = 0;
int plain() {
  ++calls;
  return 1;
}
awaitable<int> awaited(depends<plain> p) {
  ++calls;
  co_await hop();
  co_return *p + 10;
}
void sync_clean_up(msgbus::yield<session&> yield) {
  session s("s");
  yield(s);
  events_log += "!s";
}
awaitable<void> async_clean_up(msgbus::async::yield<session&> yield, depends<awaited> a) {
  session s("a" + std::to_string(*a));
  co_await hop();
  co_await yield(s);
  co_await hop();
  events_log += "!a";
}
awaitable<void> outer_clean_up(msgbus::async::yield<session&> yield, depends<async_clean_up> in) {
  session s("o(" + in->name + ")");
  co_await yield(s);
  co_await hop();
  events_log += "!o";
}
session held() { return session("h"); }
inline constexpr msgbus::required<int> wanted{"wanted"};
int needs_wanted(depends<wanted> w) { return *w; }

struct fresh {
  fresh() {
    events_log.clear();
    calls = 0;
  }
  stepping_context context;
  consumer events{context.get_executor()};
};

}  // namespace

TEST_CASE("dependencies of every form reach plain and coroutine handlers", "[I1][I2]") {
  fresh t;
  std::vector<int> seen;
  t.events.handler([&](const placed&, depends<plain> p) -> awaitable<void> {
    co_await hop();
    seen.push_back(*p);
  });
  t.events.handler([&](const placed&, depends<awaited> a) { seen.push_back(*a); });
  t.events.handler([&](const placed&, depends<awaited> a, depends<plain> p) -> awaitable<void> {
    co_await hop();
    seen.push_back(*a + *p);
  });
  t.events.handler(
      [&](const placed&, depends<sync_clean_up> s) { events_log += "(" + s->name + ")"; });
  t.events.handler([&](const placed&, depends<outer_clean_up> o) -> awaitable<void> {
    co_await hop();
    events_log += "(" + o->name + ")";
  });
  t.events.handler(
      [&](const placed&, depends<async_clean_up> a) { events_log += "(" + a->name + ")"; });
  const std::string whole =
      "+s(s)!s-s"
      "+a11+o(a11)(o(a11))!o-o(a11)!a-a11"
      "+a11(a11)!a-a11";
  CHECK(t.context.run(t.events.consume(placed{})) == 6);
  CHECK(seen == std::vector{1, 11, 12});
  CHECK(events_log == whole);
  events_log.clear();
  (void)t.events.post(placed{});
  t.context.run();
  CHECK(events_log == whole);
}

TEST_CASE("an async dependency is resolved once per invocation, and only if it is named", "[I1]") {
  fresh t;
  t.events.handler([](const placed&, depends<awaited>, depends<async_clean_up>, depends<awaited>,
                      depends<plain>, depends<outer_clean_up>) -> awaitable<void> { co_return; });
  t.events.handler([](const placed&) -> awaitable<void> { co_await hop(); });
  t.context.run(t.events.consume(placed{}));
  CHECK(calls == 2);
  t.context.run(t.events.consume(placed{}));
  CHECK(calls == 4);
}

TEST_CASE("a value that is resolved after a dependency is released before that cleans up", "[I2]") {
  fresh t;
  bool fails = false;
  t.events.handler([&](const placed&, depends<async_clean_up>, depends<held>) {
    if (fails) throw std::runtime_error("handler");
  });
  CHECK(t.context.run(t.events.consume(placed{})) == 1);
  CHECK(events_log == "+a11+h-h!a-a11");
  events_log.clear();
  fails = true;
  CHECK(text_of([&] { t.context.run(t.events.consume(placed{})); }) == "handler");
  CHECK(events_log == "+a11+h-h-a11");
}

TEST_CASE("values from before a missing dependency are released when that is reported",
          "[I2][I5]") {
  fresh t;
  t.events.handler([](const placed&, depends<held>, depends<async_clean_up>, depends<wanted>) {});
  CHECK(code_of([&] { t.context.run(t.events.consume(placed{})); }) == msgbus::errc::not_provided);
  CHECK(events_log == "+h+a11-a11-h");
}

TEST_CASE("a clean-up sees the handler's exception, which is reported once", "[I3]") {
  fresh t;
  auto watching = [](msgbus::async::yield<session&> yield) -> awaitable<void> {
    session s("w");
    std::string what;
    try {
      co_await yield(s);
    } catch (const std::out_of_range& e) {
      what = e.what();
    }
    co_await hop();
    events_log += "caught " + what;
  };
  t.events.override(async_clean_up, watching);
  t.events.handler([](const placed&, depends<async_clean_up>) -> awaitable<void> {
    co_await hop();
    throw std::out_of_range("it");
  });
  // It swallows the failure, which is reported all the same.
  CHECK_THROWS_AS(t.context.run(t.events.consume(placed{})), std::out_of_range);
  CHECK(events_log == "+wcaught it-w");
  CHECK(t.events.stats().failed == 1);
}

TEST_CASE("a failing clean-up is reported, and never hides the handler's failure", "[I3]") {
  fresh t;
  auto failing = [](msgbus::async::yield<session&> yield) -> awaitable<void> {
    session s("f");
    try {
      co_await yield(s);
    } catch (...) {
    }
    co_await hop();
    throw std::runtime_error("clean-up");
  };
  t.events.override(async_clean_up, failing);
  bool fails = true;
  t.events.handler([&](const placed&, depends<outer_clean_up>) -> awaitable<void> {
    co_await hop();
    if (fails) throw std::runtime_error("handler");
  });
  const auto both = msgbus_test::caught<msgbus::dispatch_error>(
      [&] { t.context.run(t.events.consume(placed{})); });
  REQUIRE(both.errors().size() == 2);
  CHECK(msgbus::describe(both.errors()[0]) == "handler");
  CHECK(msgbus::describe(both.errors()[1]) == "clean-up");
  fails = false;
  CHECK(text_of([&] { t.context.run(t.events.consume(placed{})); }) == "clean-up");
  CHECK(t.events.stats().failed == 2);
}

TEST_CASE("a missing dependency is named with its requester, for coroutines too", "[I5]") {
  fresh t;
  t.events.handler([](const placed&, depends<needs_wanted>) -> awaitable<void> { co_return; });
  CHECK(code_of([&] { t.context.run(t.events.consume(placed{})); }) == msgbus::errc::not_provided);
  const std::string text = text_of([&] { t.context.run(t.events.consume(placed{})); });
  CHECK_THAT(text, contains("wanted"));
  CHECK_THAT(text, contains("needs_wanted"));
  CHECK_THAT(text, contains("placed"));
  t.events.override(wanted, [] { return 5; });
  CHECK(t.context.run(t.events.consume(placed{})) == 1);
}

TEST_CASE("yielding never or twice is a misuse, and so is a clean-up that cannot wait", "[I5]") {
  fresh t;
  int ran = 0;
  t.events.handler([&](const placed&, depends<async_clean_up>) -> awaitable<void> {
    ++ran;
    co_await hop();
  });
  const auto code = [&] { return code_of([&] { t.context.run(t.events.consume(placed{})); }); };
  auto never = [](msgbus::async::yield<session&>) -> awaitable<void> { co_await hop(); };
  t.events.override(async_clean_up, never);
  CHECK(code() == msgbus::errc::misused_dependency);
  CHECK(ran == 0);
  auto twice = [](msgbus::async::yield<session&> yield) -> awaitable<void> {
    session s("t");
    co_await yield(s);
    co_await yield(s);
  };
  t.events.override(async_clean_up, twice);
  CHECK(code() == msgbus::errc::misused_dependency);
  CHECK(ran == 1);
  auto swallowed = [](msgbus::async::yield<session&> yield) -> awaitable<void> {
    session s("t");
    co_await yield(s);
    try {
      co_await yield(s);
    } catch (...) {
    }
  };
  t.events.override(async_clean_up, swallowed);
  CHECK(code() == msgbus::errc::misused_dependency);
  CHECK(ran == 2);
  t.events.override(async_clean_up, sync_clean_up);
  CHECK(code() == msgbus::errc::misused_dependency);
  CHECK(ran == 2);
  t.events.restore(async_clean_up);
  CHECK(t.context.run(t.events.consume(placed{})) == 1);
}

TEST_CASE("a cycle that overrides make is an error that names it", "[I5]") {
  fresh t;
  t.events.handler([](const placed&, depends<awaited>) -> awaitable<void> { co_return; });
  t.events.override(plain, [](depends<awaited> a) { return *a; });
  const std::string text = text_of([&] { t.context.run(t.events.consume(placed{})); });
  CHECK_THAT(text, contains("cycle"));
  CHECK_THAT(text, contains("awaited"));
  CHECK_THAT(text, contains("plain"));
}

}  // namespace dependencies_test
