#include <msgbus/bridge/remote_service.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace remote_service_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::context;
using msgbus::errc;
using msgbus::remote_error;
using msgbus::remote_service;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::caught;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::neighbourhood;
using msgbus_test::text_of;
using namespace std::chrono_literals;

namespace {

struct user {
  int id = 0;
  std::string name;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(user, id, name)

// A service on one side, and what calls it on the other.
struct two_sides : neighbourhood {
  bridge here = connect("here");
  bridge there = connect("there");
  service commands{executor()};
  remote_service users{here, "users", {.timeout = 2s}};

  template <class R = void, class... Args>
  R call(std::string_view name, Args... args) {
    return clock.run(steps, users.execute<R>(name, std::move(args)...));
  }
};

}  // namespace

TEST_CASE("a command is carried out there, and its result comes back") {
  two_sides all;
  std::map<int, std::string> names;
  auto update = all.commands.handler("update", [&](int id, std::string name) {
    names[id] = name;
    return user{id, name};
  });
  auto find = all.commands.handler("find", [&](int id) -> awaitable<user> {
    co_await hop(2);
    user found{id, names.at(id)};
    co_return found;
  });
  auto clear = all.commands.handler("clear", [&] { names.clear(); });
  auto served = all.there.serve("users", update, find, clear);
  CHECK(all.call<user>("update", 1, "Alice").name == "Alice");
  CHECK(all.call<user>("find", 1).name == "Alice");
  all.call("clear");
  CHECK(names.empty());
  CHECK(served.stats().answered == 3);
  CHECK(served.stats().errors == 0);
  CHECK(all.commands.stats().handled == 3);
}

TEST_CASE("texts, views and containers are arguments and results") {
  two_sides all;
  auto join = all.commands.handler("join", [](std::string_view a, const std::vector<int>& b) {
    return std::string(a) + std::to_string(b.size());
  });
  auto both = all.commands.handler("both", [](double x) { return std::tuple(x * 2, true); });
  all.there.serve("users", join, both);
  CHECK(all.call<std::string>("join", std::string_view("n"), std::vector<int>{1, 2}) == "n2");
  CHECK(all.call<std::tuple<double, bool>>("both", 1.5) == std::tuple(3.0, true));
}

TEST_CASE("what the handler throws comes out of execute, with its kind and its text", "[B6]") {
  two_sides all;
  auto find = all.commands.handler(
      "find", [](int id) -> user { throw std::out_of_range("no user " + std::to_string(id)); });
  auto late = all.commands.handler("late", [](int) -> awaitable<user> {
    co_await hop();
    throw std::runtime_error("too late");
  });
  auto served = all.there.serve("users", find, late);
  const auto failure = caught<remote_error>([&] { (void)all.call<user>("find", 7); });
  CHECK(failure.code() == errc::remote_failed);
  CHECK(failure.kind() == "std::out_of_range");
  CHECK(failure.text() == "no user 7");
  CHECK_THAT(std::string(failure.what()), contains("find"));
  CHECK(caught<remote_error>([&] { (void)all.call<user>("late", 7); }).text() == "too late");
  CHECK(served.stats().errors == 2);
}

TEST_CASE("wrong arguments are refused there, and named here", "[T5][B6]") {
  two_sides all;
  int called = 0;
  auto update = all.commands.handler("update", [&](int, std::string) { ++called; });
  auto one = all.commands.handler("one", [&](std::uint8_t) { ++called; });
  auto none = all.commands.handler("none", [&] { ++called; });
  all.there.serve("users", update, one, none);
  const auto refused = [&](auto&& call) {
    CHECK(code_of(call) == errc::bad_arguments);
    return text_of(call);
  };
  CHECK_THAT(refused([&] { all.call("update", 1); }),
             contains("'update' takes (int, std::string)"));
  CHECK_THAT(refused([&] { all.call("update", "1", "Alice"); }), contains("\"1\""));
  CHECK_THAT(refused([&] { all.call("one", 256); }), contains("256"));
  CHECK_THAT(refused([&] { all.call("none", 1); }), contains("takes no arguments"));
  CHECK(called == 0);
}

TEST_CASE("an operation that nobody serves has no handler, and that is known at once", "[B6]") {
  two_sides all;
  CHECK(code_of([&] { all.call("update", 1); }) == errc::no_handler);
  CHECK_THAT(text_of([&] { all.call("update", 1); }), contains("users.update"));
  CHECK(all.clock.until_next() == std::nullopt);
}

TEST_CASE("an answer that does not come in time is not waited for", "[B6]") {
  two_sides all;
  msgbus_test::gate gate;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<int> {
    co_await gate.wait();
    co_return 1;
  });
  auto served = all.there.serve("users", slow);
  const auto began = all.clock.now();
  CHECK(code_of([&] { (void)all.call<int>("slow"); }) == errc::timed_out);
  CHECK(all.clock.now() - began == 2s);
  gate.open();
  all.steps.run();
  CHECK(served.stats().answered == 1);
  CHECK(all.told.all.empty());
}

TEST_CASE("an answer that is not what was asked for is undecodable", "[B6]") {
  two_sides all;
  auto text = all.commands.handler("text", [] { return std::string("seven"); });
  auto nothing = all.commands.handler("nothing", [] {});
  all.there.serve("users", text, nothing);
  CHECK(code_of([&] { (void)all.call<int>("text"); }) == errc::decode_failed);
  CHECK(code_of([&] { (void)all.call<int>("nothing"); }) == errc::decode_failed);
  all.call("text");  // who wants no result may have one discarded
}

TEST_CASE("a cancelled call ends here, and goes on there", "[A9]") {
  two_sides all;
  msgbus_test::gate gate;
  int done = 0;
  auto slow = all.commands.handler("slow", [&]() -> awaitable<void> {
    co_await gate.wait();
    ++done;
  });
  all.there.serve("users", slow);
  auto running = all.steps.spawn(all.users.execute("slow"));
  all.steps.run();
  running.cancel();
  all.steps.run();
  REQUIRE(running.done());
  CHECK(msgbus_test::is_aborted(running.failure()));
  CHECK(done == 0);
  gate.open();
  all.steps.run();
  CHECK(done == 1);
}

TEST_CASE("a service carries out so many commands at once, and the others wait") {
  two_sides all;
  msgbus_test::gate gate;
  int running = 0;
  int most = 0;
  auto slow = all.commands.handler("slow", [&](int) -> awaitable<void> {
    most = std::max(most, ++running);
    co_await gate.wait();
    --running;
  });
  msgbus::serve_options how;
  how.concurrency = 3;
  all.there.serve("users", how, slow);
  std::vector<msgbus::testing::spawned<void>> calls;
  for (int i = 0; i < 6; ++i) calls.push_back(all.steps.spawn(all.users.execute("slow", i)));
  all.steps.run();
  CHECK(running == 3);
  gate.open();
  all.steps.run();
  CHECK(most == 3);
  for (auto& each : calls) {
    REQUIRE(each.done());
    each.get();
  }
}

TEST_CASE("handlers of commands know who called, and what they send carries it on") {
  two_sides all;
  bridge third = all.connect("third");
  publisher news;
  subscriber readers(all.executor());
  std::string id;
  std::string chain;
  readers.subscribe("news", [&](int, const context& about) {
    chain = std::string(about.causation_id()) + "/" + std::string(about.correlation_id());
  });
  auto act = all.commands.handler("act", [&](int n, const context& about) -> awaitable<void> {
    id = about.message_id();
    co_await hop();
    (void)news.post(n, "news");
  });
  all.there.serve("users", act);
  all.there.outbound<int>(news, "news");
  third.inbound<int>(readers, "news");
  all.call("act", 3);
  all.steps.run();
  CHECK_FALSE(id.empty());
  CHECK(chain == id + "/" + id);
}

TEST_CASE("a process may call its own service") {
  two_sides all;
  auto add = all.commands.handler("add", [](int a, int b) { return a + b; });
  all.here.serve("users", add);
  CHECK(all.call<int>("add", 1, 2) == 3);
}

TEST_CASE("a served service answers discovery") {
  two_sides all;
  auto add = all.commands.handler("add", [](int a, int b) { return a + b; });
  msgbus::serve_options how;
  how.name = "calculator";
  how.version = "1.0.0";
  all.there.serve("users", how, add);
  CHECK(all.call<int>("add", 1, 2) == 3);
  const remote_service discovery(all.here, "$SRV", {.timeout = 1s});
  const auto ping = all.clock.run(all.steps, discovery.execute<nlohmann::json>("PING"));
  CHECK(ping["name"] == "calculator");
  const auto info = all.clock.run(all.steps, discovery.execute<nlohmann::json>("INFO.calculator"));
  CHECK(info["endpoints"][0]["subject"] == "users.add");
  const auto stats = all.clock.run(
      all.steps,
      discovery.execute<nlohmann::json>("STATS.calculator." + ping["id"].get<std::string>()));
  CHECK(stats["endpoints"][0]["num_requests"] == 1);
}

TEST_CASE("names that cannot be topics are refused where they are given") {
  two_sides all;
  auto add = all.commands.handler("add", [](int a) { return a; });
  CHECK(code_of([&] { (void)all.there.serve("users.*", add); }) == errc::invalid_topic);
  msgbus::serve_options how;
  how.name = "no name";
  CHECK(code_of([&] { (void)all.there.serve("users", how, add); }) == errc::invalid_topic);
  auto odd = all.commands.handler("with space", [](int a) { return a; });
  CHECK(code_of([&] { (void)all.there.serve("users", odd); }) == errc::invalid_topic);
  CHECK(code_of([&] { all.call("a b"); }) == errc::invalid_topic);
}

TEST_CASE("a service that is closed says so to those who call it") {
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

TEST_CASE("a drained bridge answers what it was asked, and nothing more", "[B8]") {
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

}  // namespace remote_service_test
