// Calls when a service, a bridge or a connection ends.

#include <msgbus/bridge/remote_service.hpp>

#include "support/two_sides.hpp"

namespace remote_service_end_test {

using namespace remote_service_test;

TEST_CASE("callers of a closed service get that error") {
  two_sides all;
  auto add = all.commands.handler("add", [](int a) { return a; });
  all.there.serve("users", add);
  all.commands.close();
  CHECK(code_of([&] { (void)all.call<int>("add", 1); }) == errc::closed);
}

TEST_CASE("calls end with closed when their bridge is closed, also those that wait") {
  two_sides all;
  msgbus_test::gate gate;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<void> { co_await gate.wait(); });
  all.there.serve("users", slow);
  auto running = all.steps.spawn(all.users.execute("slow"));
  all.steps.run();
  all.here.close();
  all.steps.run();
  REQUIRE(running.done());
  CHECK(code_of([&] { running.get(); }) == errc::closed);
  CHECK(code_of([&] { all.call("slow"); }) == errc::closed);
  gate.open();
  all.steps.run();
}

TEST_CASE("a call that waits when its connection is lost ends with disconnected at once", "[B6]") {
  two_sides all;
  msgbus_test::gate gate;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<int> {
    co_await gate.wait();
    co_return 1;
  });
  all.there.serve("users", slow);
  auto waiting = all.steps.spawn(all.users.execute<int>("slow"));
  all.steps.run();
  all.broker.cut(*all.here.transport());
  auto later = all.steps.spawn(all.users.execute<int>("slow"));
  all.steps.run();
  REQUIRE(waiting.done());
  CHECK(code_of([&] { waiting.get(); }) == errc::disconnected);

  // What is asked while it is away is sent when it is back.
  CHECK_FALSE(later.done());
  all.broker.restore(*all.here.transport());
  gate.open();
  all.steps.run();
  REQUIRE(later.done());
  CHECK(later.get() == 1);
}

TEST_CASE("the drain of a bridge ends at its deadline, also where nothing can be sent", "[B8]") {
  two_sides all;
  msgbus_test::gate never;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<void> { co_await never.wait(); });
  all.there.serve("users", slow);
  auto running = all.steps.spawn(all.users.execute<void>("slow"));
  all.steps.run();
  all.broker.cut(*all.there.transport());  // the last flush waits for the broker, too
  const auto grace = GENERATE(std::optional<std::chrono::milliseconds>(), 0ms, 400ms, 5s);
  const auto before = all.clock.now();
  CHECK(all.clock.run(all.steps, all.there.drain(1s, {.grace = grace})).abandoned == 1);
  CHECK(all.clock.now() - before == 1s);
  CHECK(all.told.all.size() == 1);
}

TEST_CASE("a drained bridge answers the accepted commands, and no more", "[B8]") {
  two_sides all;
  msgbus_test::gate gate;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<int> {
    co_await gate.wait();
    co_return 7;
  });
  all.there.serve("users", slow);
  auto running = all.steps.spawn(all.users.execute<int>("slow"));
  all.steps.run();
  auto draining = all.steps.spawn(all.there.drain(1s));
  all.steps.run();
  CHECK_FALSE(draining.done());
  CHECK(code_of([&] { (void)all.call<int>("slow"); }) == errc::no_handler);
  gate.open();
  all.steps.run();
  REQUIRE(draining.done());
  CHECK(draining.get().handled == 1);
  REQUIRE(running.done());
  CHECK(running.get() == 7);
}

}  // namespace remote_service_end_test
