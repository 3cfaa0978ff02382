// Retries that hold no permit of their mailbox during their pauses (`hold_order = false`).

#include <msgbus/retry.hpp>

#include "policy/running.hpp"

#include <msgbus/testing/cut_off.hpp>

#include <ostream>

namespace retries_beside_test {

using asio::awaitable;
using msgbus::async::mailbox_options;
using msgbus::async::overflow;
using msgbus_test::is_conserved;
using msgbus_test::placed;
using msgbus_test::running;
using namespace std::chrono_literals;

namespace {

/// A run of the handler: which message, which attempt, when.
struct run {
  int id;
  std::size_t attempt;
  std::chrono::seconds at;
  friend bool operator==(const run&, const run&) = default;
  friend std::ostream& operator<<(std::ostream& out, const run& r) {
    return out << r.id << '/' << r.attempt << '@' << r.at.count();
  }
};

msgbus::policy beside(std::size_t attempts) {
  return {.retry = {.attempts = attempts, .backoff = 10s, .jitter = 0, .hold_order = false}};
}

/// Messages fail in their first attempts; each run takes `takes`.
struct failing : running {
  explicit failing(mailbox_options options = {}, std::size_t attempts = 3) : running(options) {
    events.handler(
        [this](const placed& event, const msgbus::context& ctx) -> awaitable<void> {
          runs.push_back({event.id, ctx.attempt(),
                          std::chrono::duration_cast<std::chrono::seconds>(since_start())});
          most_inside = std::max(most_inside, ++inside);
          if (takes != 0s) co_await msgbus::exec::sleep(takes);
          --inside;
          if (ctx.attempt() <= fails) throw std::runtime_error("down");
        },
        beside(attempts));
  }
  std::size_t fails = 1;
  std::chrono::seconds takes{0};
  int inside = 0;
  int most_inside = 0;
  std::vector<run> runs;
};

}  // namespace

TEST_CASE("the messages behind one that pauses are handled meanwhile", "[P3]") {
  failing t;
  t.post(1, 2);
  t.pass(15s);
  CHECK(t.runs == std::vector<run>{{1, 1, 0s}, {2, 1, 0s}, {1, 2, 10s}, {2, 2, 10s}});
  CHECK(t.events.stats().handled == 2);
  CHECK(t.events.waiting() == 0);
}

TEST_CASE("a plain handler gives up its permit, too") {
  running t;
  std::vector<int> runs;
  t.events.handler(
      [&](const placed& event, const msgbus::context& ctx) {
        runs.push_back(event.id);
        if (event.id == 1 && ctx.attempt() < 3) throw std::runtime_error("down");
      },
      beside(3));
  t.post(1, 3);
  t.pass(1min);
  CHECK(runs == std::vector<int>{1, 2, 3, 1, 1});
  CHECK(t.events.stats().handled == 3);
}

TEST_CASE("attempts keep counting, and the last failure is final") {
  failing t;
  t.fails = 9;
  t.post(1, 2);
  t.pass(5min);
  CHECK(t.runs.size() == 6);
  CHECK(t.runs.back() == run{2, 3, 30s});
  CHECK(t.events.stats().failed == 2);
}

TEST_CASE("after its pause a message waits for a permit, and gets the first one", "[A5]") {
  failing t;
  t.takes = 6s;
  t.post(1, 3);
  t.pass(5min);
  // 1 is done at 6, 2 at 12, 3 at 18. At 16 and 22 the pauses of 1 and 2 end.
  CHECK(t.runs == std::vector<run>{
                      {1, 1, 0s}, {2, 1, 6s}, {3, 1, 12s}, {1, 2, 18s}, {2, 2, 24s}, {3, 2, 30s}});
  CHECK(t.most_inside == 1);
  CHECK(t.events.stats().handled == 3);
}

TEST_CASE("no more than the mailbox's permits are in use, however many pauses end at once",
          "[A5]") {
  failing t({.concurrency = 2});
  t.post(1, 8);
  t.pass(1s);
  t.takes = 1s;
  t.pass(5min);
  CHECK(t.most_inside == 2);
  CHECK(t.events.stats().handled == 8);
}

TEST_CASE("a message that pauses is counted in the capacity", "[A6]") {
  const auto on_full = GENERATE(overflow::reject, overflow::drop_newest, overflow::drop_oldest);
  failing t({.capacity = 2, .on_full = on_full});
  t.post(1, 2);
  t.pass(1s);
  CHECK(t.events.waiting() == 2);
  const auto taken = t.events.post(placed{3});
  CHECK(taken.rejected == (on_full == overflow::reject ? 1 : 0));
  t.pass(1min);
  const auto counted = t.events.stats();
  CHECK(counted.handled == 2);
  CHECK(counted.dropped == (on_full == overflow::reject ? 0 : 1));
  CHECK(t.runs.size() == 4);
  CHECK(t.events.post(placed{4}).admitted == 1);
  t.pass(1min);
  CHECK(is_conserved(t.events.stats()));
}

TEST_CASE("a sender waits until a message that pauses has left its place", "[A6]") {
  const std::size_t concurrency = GENERATE(1U, 2U);
  failing t({.capacity = 1, .concurrency = concurrency});
  t.post(1, 1);
  t.pass(1s);
  auto waits = t.context.spawn(t.events.send(placed{2}));
  t.pass(1s);
  CHECK_FALSE(waits.done());
  t.pass(10s);
  CHECK(waits.done());
  t.pass(1min);
  CHECK(t.events.stats().handled == 2);
}

TEST_CASE("a duplicate waits beside the mailbox for one that pauses there") {
  running t;
  std::vector<int> runs;
  msgbus::policy how = beside(2);
  how.deduplicate = {.window = 10min, .key = [](const msgbus::any_event&) { return "k"; }};
  t.events.handler(
      [&](const placed& event, const msgbus::context& ctx) {
        runs.push_back(event.id);
        if (ctx.attempt() == 1) throw std::runtime_error("down");
      },
      how);
  t.post(1, 3);
  t.pass(1min);
  CHECK(runs == std::vector<int>{1, 1});
  CHECK(t.events.stats().handled == 3);
}

TEST_CASE("a drain waits for the messages that pause, and abandons them at its end", "[A10][P2]") {
  failing t;
  t.post(1, 3);
  t.pass(1s);
  SECTION("in time") {
    const auto report = t.clock.run(t.context, t.events.drain(1min));
    CHECK(report.handled == 3);
    CHECK(report.abandoned == 0);
  }
  SECTION("too late") {
    const auto report = t.clock.run(t.context, t.events.drain(1s));
    CHECK(report.abandoned == 3);
    t.pass(1min);
    CHECK(t.runs.size() == 3);
  }
  SECTION("while they wait for a permit") {
    t.takes = 1h;
    t.pass(1min);
    const auto report = t.clock.run(t.context, t.events.drain(1s));
    CHECK(report.abandoned == 3);
    CHECK(t.runs.size() == 4);
  }
  CHECK(is_conserved(t.events.stats()));
  CHECK(t.events.waiting() == 0);
}

TEST_CASE("a closed component still makes the attempts of messages that pause", "[A10]") {
  failing t;
  t.post(1, 3);
  t.pass(1s);
  t.events.close();
  t.pass(1min);
  CHECK(t.events.stats().handled == 3);
}

TEST_CASE("a handler that is cancelled while messages pause makes no other attempt", "[D6]") {
  running t;
  int runs = 0;
  auto handler = t.events.handler(
      [&](const placed&) {
        ++runs;
        throw std::runtime_error("down");
      },
      beside(9));
  t.post(1, 3);
  t.context.run();
  CHECK(runs == 3);
  handler.cancel();
  t.pass(1h);
  CHECK(runs == 3);
  CHECK(t.events.stats().failed == 3);
}

TEST_CASE("an awaited verb pauses as without this", "[A1]") {
  failing t;
  CHECK(t.consume(1) == 1);
  CHECK(t.since_start() == 10s);
}

TEST_CASE("destruction at every step leaves no message unsettled", "[A12][P2]") {
  struct scenario {
    explicit scenario(msgbus::testing::stepping_context& on)
        : clock(on), events(on.get_executor(), {.capacity = 3, .concurrency = 2}) {
      msgbus::policy how = beside(3);
      how.deduplicate = {.window = 10min, .key = [](const msgbus::any_event& event) {
                           return std::to_string(event.get_if<placed>()->id / 2);
                         }};
      events.handler(
          [](const placed& event, const msgbus::context& ctx) -> awaitable<void> {
            co_await msgbus::exec::sleep(1s);
            if (ctx.attempt() < 3 && event.id % 2 == 0) throw std::runtime_error("down");
          },
          how);
      for (int id = 0; id < 3; ++id) (void)events.post(placed{id});
    }
    bool when_idle() { return clock.advance_to_next(); }
    msgbus::testing::manual_clock clock;
    msgbus::async::consumer events;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](msgbus::testing::stepping_context& on) { return std::make_unique<scenario>(on); });
  CHECK(report.cuts > 10);
}

}  // namespace retries_beside_test
