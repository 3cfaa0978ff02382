#include "monitor/warnings.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace warnings_test {

using namespace msgbus::monitoring;
using namespace std::chrono_literals;

namespace {

/// A program with one component, which a test changes between readings.
struct program {
  component_reading orders = named("orders", "c1");
  std::vector<component_reading> others = {};
  reading base = {};
  history figures = {};
  warning_rules rules = {};
  figures_now now = {};
  duration elapsed = {};

  static component_reading named(const char* name, const char* id) {
    component_reading made;
    made.id = id;
    made.stats.name = name;
    made.stats.kind = "consumer";
    made.stats.capacity = 100;
    made.details.concurrency = 1;
    made.executor = "io_context 1";
    return made;
  }

  program() {
    base.all.components = {node("c1", "orders")};
    base.hosted = {"c1"};
  }

  static msgbus::graph::component node(const char* id, const char* name) {
    msgbus::graph::component made;
    made.id = id;
    made.name = name;
    made.kind = "consumer";
    made.family = "async";
    made.executor = "io_context 1";
    made.capacity = 100;
    return made;
  }

  std::vector<warning> after(duration time) {
    elapsed += time;
    reading read = base;
    read.at = time_point(1000s) + elapsed;
    read.time = 1'700'000'000 + in_seconds(elapsed);
    read.components = others;
    read.components.push_back(orders);
    now = figures.add(std::move(read));
    return rules.add(now);
  }

  /// A call of the handler that took so long.
  void handled_in(std::chrono::nanoseconds took, std::uint64_t many = 1) {
    if (orders.handles.empty()) orders.handles.push_back({{"order", "handler of order"}, {}});
    auto& times = orders.handles[0].times;
    const auto& bounds = msgbus::detail::duration_bounds;
    const auto at = std::ranges::lower_bound(bounds, took.count()) - bounds.begin();
    times.buckets[static_cast<std::size_t>(at)] += many;
    times.sum += static_cast<std::uint64_t>(took.count()) * many;
    auto& counts = orders.stats.counts;
    counts.offered += many;
    counts.accepted += many;
    counts.handled += many;
  }
};

std::size_t many(const std::vector<warning>& among, std::string_view kind) {
  return static_cast<std::size_t>(std::ranges::count(among, kind, &warning::kind));
}

const warning* find(const std::vector<warning>& among, std::string_view kind) {
  const auto found = std::ranges::find(among, kind, &warning::kind);
  return found == among.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("a mailbox that is over 80 % full is warned of after 10 seconds, and no sooner") {
  program at;
  at.orders.stats.waiting = 81;
  CHECK(at.after(0s).empty());
  CHECK(at.after(5s).empty());
  CHECK(at.after(4999ms).empty());
  const auto warnings = at.after(1ms);
  REQUIRE(many(warnings, "mailbox_full") == 1);
  CHECK(warnings[0].component == "orders");
  CHECK(warnings[0].since == 1'700'000'000);
  CHECK(warnings[0].text.find("81 of 100") != std::string::npos);

  at.orders.stats.waiting = 80;
  CHECK(at.after(1s).empty());
  at.orders.stats.waiting = 99;  // anew
  CHECK(at.after(1s).empty());
  CHECK(at.after(9s).empty());
  CHECK(many(at.after(1s), "mailbox_full") == 1);
}

TEST_CASE("a handler that is slower than its messages come is named, with its time") {
  program at;
  at.orders.stats.in_flight = 1;
  at.orders.stats.waiting = 5;
  (void)at.after(0s);
  std::vector<warning> warnings;
  for (int second = 1; second <= 12; ++second) {
    at.handled_in(450ms, 2);
    at.orders.stats.counts.accepted += 3;  // five came, two were handled
    at.orders.stats.counts.offered += 3;
    at.orders.stats.waiting += 3;
    warnings = at.after(1s);
    if (second <= 10) CHECK(many(warnings, "slow_handler") == 0);
  }
  const warning* const slow = find(warnings, "slow_handler");
  REQUIRE(slow);
  CHECK(slow->component == "orders");
  CHECK(slow->text.find("handler of order") != std::string::npos);
  CHECK(slow->text.find(" ms (p50)") != std::string::npos);
}

TEST_CASE("a handler that keeps up with its messages is not slow, however many wait") {
  program at;
  at.orders.stats.in_flight = 1;
  at.orders.stats.waiting = 50;
  (void)at.after(0s);
  for (int second = 0; second < 20; ++second) {
    at.handled_in(10ms, 90);
    CHECK(many(at.after(1s), "slow_handler") == 0);
  }
}

TEST_CASE("senders that wait for space make a handler slow, though its mailbox cannot grow") {
  program at;
  at.orders.stats.in_flight = 1;
  at.orders.stats.waiting = 60;
  at.orders.details.blocked_senders = 2;
  for (int second = 0; second <= 11; ++second) {
    at.handled_in(100ms, 10);
    (void)at.after(1s);
  }
  CHECK(many(at.after(1s), "slow_handler") == 1);
}

TEST_CASE("messages without a handler are warned of for a minute, by their names") {
  program at;
  (void)at.after(0s);
  at.orders.stats.counts.unrouted = 2;
  at.orders.unrouted = {"refund", "gift"};
  const auto warnings = at.after(1s);
  REQUIRE(many(warnings, "unrouted") == 1);
  CHECK(warnings[0].text == "2 messages without a handler in the last minute: refund, gift");
  for (int i = 0; i < 5; ++i) CHECK(many(at.after(10s), "unrouted") == 1);
  for (int i = 0; i < 3; ++i) (void)at.after(10s);
  CHECK(at.after(1s).empty());
}

TEST_CASE("messages that were unrouted before the monitor was made are not warned of") {
  program at;
  at.orders.stats.counts.unrouted = 7;
  CHECK(at.after(0s).empty());
  CHECK(at.after(1s).empty());
}

TEST_CASE("a plain handler that blocks the executor of others is named, with the others") {
  program at;
  msgbus::graph::handler described;
  described.label = "handler of order";
  at.base.all.components[0].handlers = {described};
  at.base.all.components.push_back(program::node("c2", "mail"));
  at.base.hosted.push_back("c2");
  at.handled_in(1ms);
  (void)at.after(0s);
  at.handled_in(100ms);
  CHECK(at.after(1s).empty());  // exactly 100 ms is not longer
  at.handled_in(150ms);
  const auto warnings = at.after(1s);
  REQUIRE(many(warnings, "blocked_executor") == 1);
  CHECK(warnings[0].text ==
        "handler of order is no coroutine, and took longer than 100 ms 1 time in the last minute; "
        "it keeps a thread of io_context 1 from \"mail\"");

  SECTION("a coroutine may take as long as it likes") {
    at.base.all.components[0].handlers[0].coroutine = true;
    CHECK(at.after(1s).empty());
  }
  SECTION("an executor of its own harms nobody") {
    at.base.all.components[0].handlers[0].executor = "thread_pool 1";
    CHECK(at.after(1s).empty());
  }
  SECTION("a strand is no protection: its threads are those of the context") {
    at.base.all.components[1].executor = "strand of io_context 1";
    CHECK(many(at.after(1s), "blocked_executor") == 1);
  }
}

TEST_CASE("a call that does not end is known by two readings, and names a blocked executor") {
  program at;
  msgbus::graph::handler described;
  described.label = "handler of order";
  at.base.all.components[0].handlers = {described};
  at.base.all.components.push_back(program::node("c2", "mail"));
  at.base.hosted.push_back("c2");
  at.orders.handles = {{{"order", "handler of order"}, {}, {5, 4}}};
  CHECK(at.after(0s).empty());
  const auto warnings = at.after(2s);
  REQUIRE(many(warnings, "blocked_executor") == 1);
  CHECK(warnings[0].text.find("has been running for 2.0 s") != std::string::npos);
  at.orders.handles[0].calls = {6, 5};  // another call
  CHECK(at.after(1s).empty());
}

TEST_CASE("a breaker that changes its state four times in a minute flaps") {
  program at;
  at.orders.breakers = {{"bank", "closed", 10}};
  CHECK(at.after(0s).empty());
  at.orders.breakers[0].changes = 13;
  CHECK(at.after(10s).empty());
  at.orders.breakers[0].changes = 14;
  const auto warnings = at.after(10s);
  REQUIRE(many(warnings, "flapping_breaker") == 1);
  CHECK(warnings[0].text ==
        "the circuit breaker \"bank\" has changed its state 4 times in the last minute");
  for (int i = 0; i < 8; ++i) (void)at.after(10s);
  CHECK(at.after(1s).empty());
}

TEST_CASE("a component in the graph that the host does not have is drained by nobody") {
  program at;
  at.base.all.components.push_back(program::node("c2", "mail"));
  const auto warnings = at.after(0s);
  REQUIRE(many(warnings, "undrained") == 1);
  CHECK(warnings[0].component == "mail");
  at.base.all.components[1].family = "sync";  // has nothing to drain
  CHECK(at.after(1s).empty());
  at.base.all.components[1].family = "async";
  at.base.hosted.push_back("c2");
  CHECK(at.after(1s).empty());
}

TEST_CASE("an executor that does not answer is warned of, with the handlers that run there") {
  program at;
  at.orders.handles = {{{"order", "handler of order"}, {}, {5, 4}}};
  (void)at.after(0s);
  at.base.silent = {{"io_context 1", 2500ms}, {"thread_pool 1", 1s}};
  const auto warnings = at.after(2s);
  REQUIRE(many(warnings, "stalled_executor") == 2);
  CHECK(warnings[0].text ==
        "io_context 1 has run no function for 2.5 s: it runs handler of order of \"orders\"");
  CHECK(warnings[0].since == 1'700'000'002 - 2.5);
  CHECK(warnings[1].text.starts_with("thread_pool 1 has run no function for 1.0 s: no measured"));
}

}  // namespace warnings_test
