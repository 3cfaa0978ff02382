// Operations of services with a policy.

#include "policy/running.hpp"

namespace running_operations_test {

using asio::awaitable;
using msgbus::errc;
using msgbus_test::code_of;
using msgbus_test::running;
using namespace std::chrono_literals;

TEST_CASE("an operation behind an open breaker is refused, and a sent command waits", "[P1][P2]") {
  running t;
  msgbus::async::service service(t.context.get_executor());
  const auto breaker = std::make_shared<msgbus::circuit_breaker>(
      msgbus::breaker_options{.minimum = 1, .open_for = 5s});
  bool is_down = true;
  std::vector<int> done;
  service.handler("charge",
                  [&](int id) {
                    if (is_down) throw std::runtime_error("down");
                    done.push_back(id);
                    return id * 2;
                  },
                  {.breaker = breaker});
  const auto charge = [&](int id) {
    return t.clock.run(t.context, service.execute<int>("charge", id));
  };
  CHECK_THROWS(charge(1));
  CHECK(code_of([&] { charge(2); }) == errc::circuit_open);
  is_down = false;
  (void)service.post("charge", 3);
  t.context.run();
  CHECK(done.empty());
  t.pass(5s);
  CHECK(done == std::vector{3});
  CHECK(charge(4) == 8);
  CHECK(msgbus_test::is_conserved(service.stats()));
}

TEST_CASE("an operation is repeated with its arguments, within its deadline", "[P1]") {
  running t;
  msgbus::async::service service(t.context.get_executor());
  std::vector<std::string> seen;
  service.handler("greet",
                  [&](std::string name) -> awaitable<std::string> {
                    seen.push_back(name);
                    co_await msgbus::exec::sleep(2s);
                    if (seen.size() < 3) throw std::runtime_error("down");
                    co_return "Hello, " + name;
                  },
                  {.retry = {.attempts = 9, .backoff = 1s, .jitter = 0}, .deadline = 10s});
  const auto greet = [&] {
    return t.clock.run(t.context, service.execute<std::string>("greet", "Alice"));
  };
  CHECK(greet() == "Hello, Alice");
  CHECK(seen == std::vector<std::string>{"Alice", "Alice", "Alice"});
  seen.clear();
  msgbus::async::service slow(t.context.get_executor());
  slow.default_policy({.deadline = 1s});
  slow.handler("wait", [] { return msgbus::exec::sleep(1h); });
  CHECK(code_of([&] { t.clock.run(t.context, slow.execute<>("wait")); }) == errc::timed_out);
}

}  // namespace running_operations_test
