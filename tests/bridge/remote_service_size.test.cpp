// Results, errors and arguments that are too large.

#include <msgbus/bridge/remote_service.hpp>

#include "support/two_sides.hpp"

namespace remote_service_size_test {

using namespace remote_service_test;

TEST_CASE("a result that is too large is an error for its caller, at once", "[B6]") {
  two_sides all;
  auto report = all.commands.handler("report", [](std::size_t n) { return std::string(n, 'x'); });
  auto served = all.there.serve("users", report);
  CHECK(all.call<std::string>("report", 1000).size() == 1000);
  const auto began = all.clock.now();
  const auto failure =
      caught<remote_error>([&] { (void)all.call<std::string>("report", 1 << 20); });
  CHECK(all.clock.now() == began);
  CHECK_THAT(failure.text(), contains("the result of operation 'report' cannot be sent: "));
  CHECK_THAT(failure.text(), contains("1048576 at most"));
  CHECK(served.stats().answered == 2);
  CHECK(served.stats().errors == 1);
  CHECK(served.stats().unsent == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK_THAT(all.told.all[0], contains("service 'users': the result of operation 'report'"));
}

TEST_CASE("an error that is too large crosses with its kind, at once", "[B6]") {
  two_sides all;
  // So small that a long text is too large, or the ids of an answer.
  const std::size_t limit = GENERATE(std::size_t{1200}, std::size_t{180});
  bridge narrow = all.connect({.max_payload = limit});
  auto find = all.commands.handler(
      "find", [](int) -> user { throw std::out_of_range(std::string(1000, 'x')); });
  auto served = narrow.serve("users", find);
  const auto began = all.clock.now();
  const auto failure = caught<remote_error>([&] { (void)all.call<user>("find", 1); });
  CHECK(all.clock.now() == began);
  CHECK(failure.kind() == "std::out_of_range");
  CHECK(failure.text() == (limit == 180 ? "the reply cannot be sent" : std::string(1000, 'x')));
  CHECK(served.stats().errors == 1);
  CHECK(served.stats().unsent == 1);
}

TEST_CASE("a discovery answer that is too large is an error, at once", "[B6]") {
  two_sides all;
  auto add = all.commands.handler("add", [](int a, int b) { return a + b; });
  msgbus::serve_options how;
  how.name = "calculator";
  how.description.assign(2000, 'x');
  bridge narrow = all.connect({.max_payload = 1000});
  auto served = narrow.serve("users", how, add);
  const remote_service discovery(all.here, "$SRV", {.timeout = 1s});
  const auto ask = [&](std::string_view verb) {
    return all.clock.run(all.steps, discovery.execute<nlohmann::json>(verb));
  };
  CHECK(ask("PING")["name"] == "calculator");
  const auto began = all.clock.now();
  const auto failure = caught<remote_error>([&] { (void)ask("INFO"); });
  CHECK(all.clock.now() == began);
  CHECK_THAT(failure.text(), contains("1000 at most"));
  CHECK(served.stats().unsent == 1);
}

TEST_CASE("arguments that are too large are refused here, at once", "[B6]") {
  two_sides all;
  int called = 0;
  auto note = all.commands.handler("note", [&](const std::string&) { ++called; });
  all.there.serve("users", note);
  const auto began = all.clock.now();
  const auto call = [&] { all.call("note", std::string(1 << 20, 'x')); };
  CHECK(code_of(call) == errc::transport_failed);
  CHECK_THAT(text_of(call), contains("'users.note'") && contains("1048576 at most"));
  CHECK(all.clock.now() == began);
  CHECK(called == 0);
}

TEST_CASE(
    "a call without an end is answered however late, and one without time is not waited for") {
  two_sides all;
  using duration = std::chrono::steady_clock::duration;
  msgbus_test::gate gate;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<int> {
    co_await gate.wait();
    co_return 7;
  });
  all.there.serve("users", slow);
  const remote_service hasty(all.here, "users", {.timeout = duration::min()});
  CHECK(code_of([&] { (void)all.clock.run(all.steps, hasty.execute<int>("slow")); }) ==
        errc::timed_out);
  const remote_service patient(all.here, "users", {.timeout = duration::max()});
  auto running = all.steps.spawn(patient.execute<int>("slow"));
  all.clock.run_for(all.steps, 24h * 36500);
  CHECK_FALSE(running.done());
  // Nor does a drain without an end leave it.
  auto draining = all.steps.spawn(all.there.drain(duration::max()));
  all.clock.run_for(all.steps, 24h * 36500);
  CHECK_FALSE(draining.done());
  gate.open();
  all.steps.run();
  REQUIRE(running.done());
  CHECK(running.get() == 7);
  REQUIRE(draining.done());
  CHECK(draining.get().handled == 2);  // also the hasty one, which went on there
}

}  // namespace remote_service_size_test
