// Commands that nobody waits for.

#include <msgbus/async.hpp>

#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <vector>

namespace service_commands_test {

using asio::awaitable;
using msgbus::receipt;
using msgbus::async::service;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_conserved;

TEST_CASE("sent and posted commands are handled in order, and results are discarded", "[A4]") {
  stepping_context context;
  service commands(context.get_executor());
  std::vector<std::string> got;
  commands.handler("plain", [&](int n) {
    got.push_back("p" + std::to_string(n));
    return n;
  });
  commands.handler("awaited", [&](int n, std::unique_ptr<int> more) -> awaitable<int> {
    co_await hop(2);
    got.push_back("a" + std::to_string(n + *more));
    co_return n;
  });
  CHECK(commands.post("awaited", 1, std::make_unique<int>(10)) == receipt{.admitted = 1});
  CHECK(context.run(commands.send("plain", 2)) == receipt{.admitted = 1});
  CHECK(commands.post("awaited", 3, std::make_unique<int>(10)) == receipt{.admitted = 1});
  CHECK(commands.post("plain", 4).admitted == 1);
  context.run();
  CHECK(got == std::vector<std::string>{"a11", "p2", "a13", "p4"});
  CHECK(commands.stats().handled == 4);
  CHECK(is_conserved(commands.stats()));
}

TEST_CASE("failures of a posted command go to the observer and the counters", "[A8]") {
  stepping_context context;
  service commands(context.get_executor());
  const probe watching;
  commands.observe(watching);
  commands.handler("plain", [](int) { throw std::runtime_error("plain sentence"); });
  commands.handler("awaited", [](int) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("awaited sentence");
  });
  (void)commands.post("plain", 1);
  (void)commands.post("awaited", 1);
  (void)commands.post("missing", 1);
  (void)commands.post("plain", std::string("not a number"));
  (void)commands.post("awaited");
  context.run();
  std::vector<std::string> told;
  for (const auto& each : watching.failures()) told.push_back(msgbus::describe(each));
  REQUIRE(told.size() == 5);
  CHECK(told[0] == "plain sentence");
  CHECK(told[1] == "awaited sentence");
  CHECK_THAT(told[2], msgbus_test::contains("missing"));
  CHECK(commands.stats().failed == 5);
  CHECK(commands.stats().accepted == 5);
  CHECK(is_conserved(commands.stats()));
}

TEST_CASE("a service's mailbox is bounded, closes and drains as a consumer's", "[A6][A10]") {
  stepping_context context;
  service commands(context.get_executor(), {.capacity = 1});
  gate open;
  int handled = 0;
  commands.handler("slow", [&]() -> awaitable<void> {
    co_await open.wait();
    ++handled;
  });
  (void)commands.post("slow");
  context.run();
  (void)commands.post("slow");
  CHECK(commands.post("slow") == receipt{.rejected = 1});
  auto waiting = context.spawn(commands.send("slow"));
  auto cancelled = context.spawn(commands.send("slow"));
  context.run();
  CHECK_FALSE(waiting.done());
  cancelled.cancel();
  context.run();
  CHECK(msgbus_test::is_aborted(cancelled.failure()));
  open.open();
  context.run();
  CHECK(waiting.get() == receipt{.admitted = 1});
  CHECK(handled == 3);
  commands.close();
  CHECK(commands.post("slow") == receipt{.rejected = 1});
  CHECK(is_conserved(commands.stats()));
}

TEST_CASE("posted commands with a policy and dependencies", "[I1]") {
  static constexpr msgbus::required<int> base{"base"};
  stepping_context context;
  service commands(context.get_executor());
  commands.override(base, []() -> awaitable<int> {
    co_await hop();
    co_return 100;
  });
  int calls = 0, total = 0;
  commands.handler("add",
                   [&](int n, msgbus::depends<base> b) {
                     if (++calls == 1) throw std::runtime_error("once");
                     total += n + *b;
                   },
                   {.executor = context.get_executor(), .retry = {.attempts = 2, .backoff = {}}});
  (void)commands.post("add", 5);
  context.run();
  CHECK(calls == 2);
  CHECK(total == 105);
}

TEST_CASE("a destroyed service abandons the commands that wait", "[A10][A7]") {
  stepping_context context;
  auto commands = std::make_unique<service>(context.get_executor());
  const probe watching;
  commands->observe(watching);
  auto kept = std::make_shared<int>(1);
  commands->handler("keep", [](const std::shared_ptr<int>&) {});
  for (int i = 0; i < 3; ++i) (void)commands->post("keep", kept);
  commands.reset();
  context.run();
  CHECK(watching.count(seen::abandoned) == 3);
  CHECK(kept.use_count() == 1);
}

}  // namespace service_commands_test
