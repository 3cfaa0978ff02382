#include <msgbus/bridge/explain.hpp>

#include "support/two_sides.hpp"

namespace explain_test {

using msgbus::explain;
using msgbus::explanation;
using msgbus::explanation_of;
using remote_service_test::two_sides;
using namespace std::chrono_literals;

namespace {

/// The text of the error with which a call fails.
std::string error_of(two_sides& in, const msgbus::remote_service& called, std::string_view name) {
  return msgbus_test::text_of([&] { in.clock.run(in.steps, called.execute(name)); });
}

}  // namespace

TEST_CASE("an explanation of a remote call names its topic and its policy") {
  two_sides all;
  const msgbus::remote_service bank(
      all.here, "bank",
      {.timeout = 2s,
       .policy = {.breaker = std::make_shared<msgbus::circuit_breaker>(
                      msgbus::breaker_options{.name = "bank"}),
                  .retry = {.attempts = 3},
                  .deadline = 10s}});
  CHECK(explain(bank, "charge") ==
        "operation 'charge', called by the remote service 'bank': 1 handler runs\n"
        "  1. the bridge: a process that serves 'bank.charge'\n"
        "     on an executor of that process\n"
        "     with timeout 2 s, circuit breaker \"bank\", 3 attempts, deadline 10 s\n"
        "     it fails with no_handler if there is none: no process serves 'bank.charge'\n");
  CHECK(explanation_of(bank, "charge").run[0].handler.operation == "charge");
}

TEST_CASE("an explanation of a remote call has the words of the error") {
  two_sides all;
  SECTION("no process serves it") {
    const explanation got = explanation_of(all.users, "update");
    CHECK_THAT(got.text(), msgbus_test::contains(error_of(all, all.users, "update")));
    CHECK(got.arrives());
  }
  SECTION("the bridge is closed") {
    all.here.close();
    const explanation got = explanation_of(all.users, "update");
    CHECK_THAT(got.text(), msgbus_test::contains(error_of(all, all.users, "update")));
    CHECK_FALSE(got.arrives());
  }
  SECTION("the circuit breaker refuses it") {
    const auto breaker =
        std::make_shared<msgbus::circuit_breaker>(msgbus::breaker_options{.name = "bank"});
    const msgbus::remote_service bank(all.here, "bank", {.policy = {.breaker = breaker}});
    breaker->isolate();
    CHECK_THAT(explain(bank, "charge"), msgbus_test::contains(error_of(all, bank, "charge")));
    breaker->reset();
    CHECK_THAT(explain(bank, "charge"), !msgbus_test::contains("circuit_open"));
  }
  SECTION("its name is no part of a topic") {
    const explanation got = explanation_of(all.users, "a b");
    CHECK_THAT(got.text(), msgbus_test::contains(error_of(all, all.users, "a b")));
    CHECK_FALSE(got.arrives());
  }
}

TEST_CASE("an explanation of a remote call calls nothing") {
  two_sides all;
  int calls = 0;
  auto update = all.commands.handler("update", [&] { ++calls; });
  all.there.serve("users", update);
  CHECK(explanation_of(all.users, "update").arrives());
  all.steps.run();
  CHECK(calls == 0);
}

}  // namespace explain_test
