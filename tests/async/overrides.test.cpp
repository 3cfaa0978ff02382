// Overrides across every form of dependency, and async dependencies of sync components.

#include <msgbus/async.hpp>
#include <msgbus/sync.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace overrides_test {

using asio::awaitable;
using msgbus::depends;
using msgbus::async::consumer;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::gate;
using msgbus_test::hop;

namespace {

struct placed {};

std::string done;
int plain() { return 1; }
awaitable<int> awaited() {
  co_await hop();
  co_return 2;
}
void clean(msgbus::yield<int> yield) {
  yield(3);
  done += "c";
}
awaitable<void> awaited_clean(msgbus::async::yield<int> yield) {
  co_await yield(4);
  co_await hop();
  done += "C";
}
inline constexpr msgbus::required<int> wanted{"wanted"};
std::any any_text() { return std::string("any"); }
int one = 1;
int& shared_one() { return one; }
int outer(depends<plain> p) { return *p * 100; }

awaitable<int> give_awaited() {
  co_await hop();
  co_return 20;
}
awaitable<void> give_awaited_clean(msgbus::async::yield<int> yield) {
  co_await hop();
  co_await yield(40);
  co_await hop();
  done += "G";
}

using override_one = std::function<void(consumer&)>;
template <const auto& D>
std::vector<std::pair<int, override_one>> all_overrides() {
  return {
      {10, [](consumer& c) { c.override(D, [] { return 10; }); }},
      {20, [](consumer& c) { c.override(D, give_awaited); }},
      {40, [](consumer& c) { c.override(D, give_awaited_clean); }},
      {11, [](consumer& c) { c.override(D, [](depends<outer> o) { return *o / 100 + 10; }); }},
  };
}

template <const auto& D>
void check_overrides(int fallback) {
  for (const auto& [value, override] : all_overrides<D>()) {
    stepping_context context;
    consumer events(context.get_executor());
    std::vector<int> seen;
    events.handler([&](const placed&, depends<D> d) { seen.push_back(*d); });
    events.handler([&](const placed&, depends<D> d) -> awaitable<void> {
      co_await hop();
      seen.push_back(*d);
    });
    const auto run = [&, expected = value] {
      seen.clear();
      CHECK(context.run(events.consume(placed{})) == 2);
      CHECK(seen == std::vector<int>{expected, expected});
      (void)events.post(placed{});
      context.run();
      CHECK(seen == std::vector<int>(4, expected));
    };
    override(events);
    run();
    events.restore(D);
    if (fallback != 0) {
      CHECK(context.run(events.consume(placed{})) == 2);
      CHECK(seen.back() == fallback);
    }
    override(events);
    run();
  }
}

}  // namespace

TEST_CASE("a dependency of every form may be overridden by an implementation of every form",
          "[I4]") {
  // (outer needs plain: that one is overridden below)
  check_overrides<awaited>(2);
  check_overrides<awaited_clean>(4);
  check_overrides<wanted>(0);
  stepping_context context;
  consumer events(context.get_executor());
  std::vector<int> seen;
  events.handler([&](const placed&, depends<clean> d) { seen.push_back(*d); });
  events.override(clean, give_awaited);
  (void)context.run(events.consume(placed{}));
  events.override(clean, give_awaited_clean);
  (void)context.run(events.consume(placed{}));
  events.restore(clean);
  (void)context.run(events.consume(placed{}));
  CHECK(seen == std::vector{20, 40, 3});
}

TEST_CASE("an async override reaches sub-dependencies of plain and of coroutine handlers", "[I4]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::vector<int> seen;
  events.handler([&](const placed&, depends<outer> o) { seen.push_back(*o); });
  events.handler([&](const placed&, depends<outer> o, depends<plain> p) -> awaitable<void> {
    co_await hop();
    seen.push_back(*o + *p);
  });
  const auto run = [&] {
    seen.clear();
    CHECK(context.run(events.consume(placed{})) == 2);
    return seen;
  };
  CHECK(run() == std::vector{100, 101});
  events.override(plain, give_awaited);
  CHECK(run() == std::vector{2000, 2020});
  done.clear();
  events.override(plain, give_awaited_clean);
  CHECK(run() == std::vector{4000, 4040});
  CHECK(done == "GG");
  events.restore(plain);
  CHECK(run() == std::vector{100, 101});
}

TEST_CASE("an override applies to invocations that start after it", "[I4]") {
  stepping_context context;
  consumer events(context.get_executor());
  gate open;
  std::vector<int> seen;
  auto held = std::make_shared<int>(10);
  events.override(wanted, [held] { return *held; });
  const auto handle = [&](const placed&, depends<wanted> w) -> awaitable<void> {
    co_await open.wait();
    seen.push_back(*w);
  };
  events.handler(handle);
  events.handler(handle);
  auto running = context.spawn(events.consume(placed{}));
  context.run();
  events.override(wanted, [] { return 20; });
  open.open();
  context.run();
  CHECK(running.get() == 2);
  CHECK(seen == std::vector{10, 20});
  CHECK(held.use_count() == 1);
}

TEST_CASE("an override that comes while dependencies are awaited is for the next invocation",
          "[I4]") {
  stepping_context context;
  consumer events(context.get_executor());
  gate open;
  std::vector<int> seen;
  events.override(wanted, [] { return 10; });
  events.override(awaited, [&open]() -> awaitable<int> {
    co_await open.wait();
    co_return 2;
  });
  events.handler([&](const placed&, depends<awaited>, depends<wanted> w) { seen.push_back(*w); });
  auto running = context.spawn(events.consume(placed{}));
  context.run();
  events.override(wanted, [] { return 20; });
  open.open();
  context.run();
  CHECK(running.get() == 1);
  CHECK(context.run(events.consume(placed{})) == 1);
  CHECK(seen == std::vector{10, 20});
}

TEST_CASE("an override that is taken back while it is suspended ends in peace", "[I4][I2]") {
  stepping_context context;
  consumer events(context.get_executor());
  gate open;
  done.clear();
  auto held = std::make_shared<std::string>("held");
  auto slow = [held, &open](msgbus::async::yield<int> yield) -> awaitable<void> {
    const auto kept = held;
    co_await open.wait();
    co_await yield(1);
    co_await hop();
    done += *kept;
  };
  int ran = 0;
  events.handler([&](const placed&, depends<awaited>) { ++ran; });
  auto running = [&] {
    const auto guard = events.scoped_override(awaited, slow);
    auto started = context.spawn(events.consume(placed{}));
    context.run();
    return started;
  }();
  open.open();
  context.run();
  CHECK(running.get() == 1);
  CHECK(done == "held");
}

TEST_CASE("components may share overrides, sync and async ones", "[I4]") {
  stepping_context context;
  auto shared = std::make_shared<msgbus::provider>();
  consumer events(context.get_executor(), shared);
  msgbus::async::subscriber messages(context.get_executor(), shared);
  msgbus::async::service commands(context.get_executor(), shared);
  std::vector<int> seen;
  const auto handle = [&](const placed&, depends<wanted> w) { seen.push_back(*w); };
  events.handler(handle);
  messages.subscribe("a", handle);
  auto get = commands.handler("get", [](depends<wanted> w) -> awaitable<int> { co_return *w; });
  shared->override(wanted, give_awaited);
  (void)context.run(events.consume(placed{}));
  (void)context.run(messages.receive(placed{}, "a"));
  CHECK(context.run(get()) == 20);
  CHECK(seen == std::vector{20, 20});
}

TEST_CASE("async::blocking gives a sync component an async dependency", "[I4][I3]") {
  msgbus::sync::consumer events;
  std::vector<int> seen;
  bool fails = false;
  events.handler([&](const placed&, depends<wanted> w) {
    seen.push_back(*w);
    if (fails) throw std::out_of_range("handler");
  });
  events.override(wanted, msgbus::async::blocking(awaited));
  CHECK(events.consume(placed{}) == 1);
  done.clear();
  events.override(wanted, msgbus::async::blocking(awaited_clean));
  CHECK(events.consume(placed{}) == 1);
  CHECK(done == "C");
  CHECK(seen == std::vector{2, 4});
  fails = true;
  CHECK_THROWS_AS(events.consume(placed{}), std::out_of_range);
  CHECK(done == "C");  // the clean-up was not reached
}

TEST_CASE("async::blocking takes the dependencies of the async dependency, and reports its misuse",
          "[I4][I5]") {
  msgbus::sync::consumer events;
  int seen = 0;
  events.handler([&](const placed&, depends<wanted> w) { seen = *w; });
  auto sum = [](depends<plain> p, depends<outer> o) -> awaitable<int> {
    co_await hop();
    co_return *p + *o;
  };
  events.override(wanted, msgbus::async::blocking(sum));
  CHECK(events.consume(placed{}) == 1);
  CHECK(seen == 101);
  auto never = [](msgbus::async::yield<int>) -> awaitable<void> { co_await hop(); };
  events.override(wanted, msgbus::async::blocking(never));
  CHECK(code_of([&] { events.consume(placed{}); }) == msgbus::errc::misused_dependency);
}

TEST_CASE("a default of a type that takes anything gives its own value next to an override",
          "[I1][I4]") {
  stepping_context context;
  consumer events(context.get_executor());
  int right = 0;
  const auto look = [&](const std::any& given) {
    const std::string* const text = std::any_cast<std::string>(&given);
    right += text && *text == "any" ? 1 : 0;
  };
  events.handler([&](const placed&, depends<any_text> a, depends<shared_one>) { look(*a); });
  events.handler([&](const placed&, depends<any_text> a, depends<shared_one>) -> awaitable<void> {
    look(*a);
    co_return;
  });
  context.run(events.consume(placed{}));
  CHECK(right == 2);
  int other = 2;
  events.override(shared_one, [&]() -> int& { return other; });
  context.run(events.consume(placed{}));
  CHECK(right == 4);
  events.override(shared_one, [&]() -> awaitable<int> {
    co_await hop();
    co_return other;
  });
  context.run(events.consume(placed{}));
  CHECK(right == 6);
}

}  // namespace overrides_test
