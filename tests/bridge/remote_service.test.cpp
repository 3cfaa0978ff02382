#include <msgbus/bridge/remote_service.hpp>

#include "support/two_sides.hpp"

namespace remote_service_test {

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

TEST_CASE("the exception of the handler comes out of execute, with its kind and its text", "[B6]") {
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

TEST_CASE("a reply of another type is undecodable", "[B6]") {
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

TEST_CASE(
    "handlers of commands have the id of their command, and their messages continue the chain") {
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

}  // namespace remote_service_test
