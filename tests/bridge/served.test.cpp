// What serves commands: where they run, what they may wait for, and what ends them.

#include <msgbus/detail/bridge/served.hpp>

#include <msgbus/async.hpp>
#include <msgbus/bridge/remote_service.hpp>
#include <msgbus/testing/cut_off.hpp>

#include "support/awaiting.hpp"
#include "support/bridges.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace served_test {

using asio::awaitable;
using msgbus::bridge;
using msgbus::context;
using msgbus::errc;
using msgbus::remote_service;
using msgbus::async::service;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::hop;
using msgbus_test::is_conserved;
using msgbus_test::neighbourhood;
using namespace std::chrono_literals;

namespace {

/// Envelopes that came to a topic.
class tap final : public msgbus::transport::sink {
 public:
  bool take(msgbus::envelope&& message, bool) noexcept override {
    got.push_back(std::move(message));
    return true;
  }
  std::vector<msgbus::envelope> got;
};

}  // namespace

TEST_CASE("a served operation runs on the executor of its service", "[A2]") {
  neighbourhood all;
  stepping_context elsewhere;
  service commands(elsewhere.get_executor());
  int called = 0;
  auto plain = commands.handler("plain", [&](int n) { return n + ++called; });
  auto late = commands.handler("late", [&](int n) -> awaitable<int> {
    co_await hop();
    co_return n + ++called;
  });
  bridge there = all.connect();
  bridge here = all.connect();
  there.serve("users", plain, late);
  const remote_service users(here, "users");
  auto first = all.steps.spawn(users.execute<int>("plain", 1));
  auto second = all.steps.spawn(users.execute<int>("late", 1));
  all.steps.run();
  CHECK(called == 0);
  CHECK(elsewhere.step());
  CHECK(called == 1);  // decoded, carried out and answered in one step
  all.steps.run();
  REQUIRE(first.done());
  CHECK(first.get() == 2);
  CHECK_FALSE(second.done());
  elsewhere.run();
  all.steps.run();
  REQUIRE(second.done());
  CHECK(second.get() == 3);
  CHECK(commands.stats().handled == 2);
}

TEST_CASE("a command that finds the context of its service gone is answered with closed", "[A12]") {
  neighbourhood all;
  std::optional<stepping_context> elsewhere(std::in_place);
  service commands(elsewhere->get_executor());
  auto plain = commands.handler("plain", [](int n) { return n; });
  bridge there = all.connect();
  bridge here = all.connect();
  auto served = there.serve("users", plain);
  const remote_service users(here, "users");
  elsewhere.reset();
  CHECK(code_of([&] { (void)all.clock.run(all.steps, users.execute<int>("plain", 1)); }) ==
        errc::closed);
  CHECK(served.stats().errors == 1);
  CHECK(served.stats().in_flight == 0);
  CHECK(is_conserved(commands.stats()));
}

TEST_CASE("the end of a service's context leaves no command waiting", "[A12][B8]") {
  neighbourhood all;
  std::optional<stepping_context> elsewhere(std::in_place);
  service commands(elsewhere->get_executor());
  msgbus_test::gate never;
  auto slow = commands.handler("slow", [&](int) -> awaitable<void> { co_await never.wait(); });
  bridge there = all.connect();
  bridge here = all.connect();
  msgbus::serve_options how;
  how.concurrency = 2;
  auto served = there.serve("users", how, slow);
  const remote_service users(here, "users", {.timeout = 1s});
  std::vector<msgbus::testing::spawned<void>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(all.steps.spawn(users.execute("slow", i)));
  all.steps.run();
  REQUIRE(elsewhere->step());  // one has begun, one is posted, three wait
  elsewhere.reset();
  all.steps.run();
  int closed = 0;
  for (auto& each : calls) {
    if (each.done() && code_of([&] { each.get(); }) == errc::closed) ++closed;
  }
  CHECK(closed == 3);
  CHECK(served.stats().received == 5);
  CHECK(all.clock.run(all.steps, there.drain(1h)).abandoned == 2);  // and nothing is waited for
  CHECK(all.clock.until_next());
  all.clock.run_for(all.steps, 1s);
  for (auto& each : calls) CHECK(each.done());
}

TEST_CASE("an operation object that was given no operation is refused") {
  neighbourhood all;
  bridge there = all.connect();
  const msgbus::async::operation<int(int)> none;
  CHECK(code_of([&] { there.serve("users", none); }) == errc::no_handler);
  CHECK(there.links().empty());
}

TEST_CASE("however many commands wait for a context that ends, each is answered", "[A12][B8]") {
  constexpr int many = 10'000;
  neighbourhood all;
  std::optional<stepping_context> elsewhere(std::in_place);
  service commands(elsewhere->get_executor());
  auto plain = commands.handler("plain", [] {});
  bridge there = all.connect();
  bridge here = all.connect();
  msgbus::serve_options how;
  how.concurrency = 1;
  how.buffer = many;
  auto served = there.serve("users", how, plain);
  const remote_service users(here, "users");
  std::vector<msgbus::testing::spawned<void>> calls;
  for (int i = 0; i < many; ++i) calls.push_back(all.steps.spawn(users.execute("plain")));
  all.steps.run();
  elsewhere.reset();
  all.steps.run();
  int closed = 0;
  for (auto& each : calls) {
    if (each.done() && code_of([&] { each.get(); }) == errc::closed) ++closed;
  }
  CHECK(closed >= many - 1);  // the one that was posted has gone with its context
  CHECK(served.stats().in_flight <= 1);
}

TEST_CASE("the end of a bridge's context cancels the links that serve", "[A12]") {
  const msgbus::memory_broker broker;
  stepping_context elsewhere;
  std::optional<stepping_context> context(std::in_place);
  service commands(elsewhere.get_executor());
  auto plain = commands.handler("plain", [](int n) { return n; });
  bridge there(broker.connect(context->get_executor()));
  const auto served = there.serve("users", plain);
  if (GENERATE(true, false)) context->run();
  CHECK(served.active());
  context.reset();
  CHECK_FALSE(served.active());
}

TEST_CASE("a link that serves keeps its bridge's context running until it is cancelled") {
  const msgbus::memory_broker broker;
  asio::io_context context;
  stepping_context elsewhere;
  service commands(elsewhere.get_executor());
  auto plain = commands.handler("plain", [](int n) { return n; });
  bridge there(broker.connect(context.get_executor()));
  auto served = there.serve("users", plain);
  context.poll();
  CHECK_FALSE(context.stopped());
  served.cancel();
  context.poll();
  CHECK(context.stopped());
}

TEST_CASE("a cancelled link answers the commands that it has accepted", "[B8]") {
  neighbourhood all;
  service commands(all.executor());
  msgbus_test::gate gate;
  auto slow = commands.handler("slow", [&](int n) -> awaitable<int> {
    co_await gate.wait();
    co_return n;
  });
  bridge there = all.connect();
  bridge here = all.connect();
  msgbus::serve_options how;
  how.concurrency = 1;
  how.buffer = 2;
  auto served = there.serve("users", how, slow);
  const remote_service users(here, "users", {.timeout = 1s});
  std::vector<msgbus::testing::spawned<int>> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(all.steps.spawn(users.execute<int>("slow", i)));
  all.steps.run();
  CHECK(served.stats().received == 3);
  CHECK(served.stats().dropped == 1);
  CHECK(served.stats().in_flight == 3);
  served.cancel();
  gate.open();
  all.steps.run();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(calls[static_cast<std::size_t>(i)].done());
    CHECK(calls[static_cast<std::size_t>(i)].get() == i);
  }
  CHECK(served.stats().answered == 3);
  CHECK(served.stats().in_flight == 0);
  all.clock.run_for(all.steps, 1s);
  CHECK(code_of([&] { calls[3].get(); }) == errc::timed_out);
}

TEST_CASE("a plain handler has the id of its command, and its messages continue the chain",
          "[B7]") {
  neighbourhood all;
  service commands(all.executor());
  msgbus::async::publisher news;
  std::string id;
  auto act = commands.handler("act", [&](int n, const context& about) {
    id = about.message_id();
    (void)news.post(n, "news");
    if (n < 0) throw std::out_of_range("negative");
  });
  bridge there = all.connect();
  bridge here = all.connect();
  there.serve("users", act);
  there.outbound<int>(news, "news");
  const auto tapped = std::make_shared<tap>();
  const auto wire = all.broker.connect(all.executor());
  const auto feed = wire->subscribe("news", "", tapped);
  const remote_service users(here, "users", {.timeout = 1s});
  (void)all.clock.run(all.steps, users.execute("act", 1));
  all.steps.run();
  REQUIRE(tapped->got.size() == 1);
  CHECK_FALSE(id.empty());
  CHECK(tapped->got[0].headers.get("Msgbus-Causation-Id") == id);
  CHECK(msgbus::detail::current_cause() == nullptr);
}

TEST_CASE("a served operation may call another one of its own service", "[D5]") {
  neighbourhood all;
  service commands(all.executor(), {.capacity = 1});
  bridge there = all.connect();
  const remote_service users(there, "users", {.timeout = 1s});
  auto inner = commands.handler("inner", [](int n) { return n + 1; });
  auto outer = commands.handler("outer", [&](int n) -> awaitable<int> {
    auto asking = users.execute<int>("inner", n);
    const int got = co_await std::move(asking);
    co_return got + 1;
  });
  there.serve("users", inner, outer);
  CHECK(all.clock.run(all.steps, users.execute<int>("outer", 1)) == 3);
}

TEST_CASE("a command without a reply topic is executed, and its failure is reported") {
  neighbourhood all;
  service commands(all.executor());
  int called = 0;
  auto act = commands.handler("act", [&](int n) {
    ++called;
    if (n == 0) throw std::out_of_range("nothing");
  });
  bridge there = all.connect();
  auto served = there.serve("users", act);
  const auto wire = all.broker.connect(all.executor());
  for (const std::string payload : {"1", "0"}) {
    wire->publish({.topic = "users.act", .payload = payload}, msgbus::transport::urgency::at_once);
  }
  all.steps.run();
  CHECK(called == 2);
  CHECK(served.stats().answered == 2);
  CHECK(served.stats().errors == 1);
  REQUIRE(all.told.all.size() == 1);
  CHECK(all.told.all[0] == "service 'users': nothing");
}

TEST_CASE("commands are torn down after each step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& on)
        : commands(on.get_executor()),
          there(broker.connect(on.get_executor())),
          here(broker.connect(on.get_executor())),
          users(here, "users", {.timeout = 1h}) {
      auto plain = commands.handler("plain", [](int n) { return n; });
      auto late = commands.handler("late", [](int n) -> awaitable<int> {
        co_await hop();
        co_return n;
      });
      msgbus::serve_options how;
      how.concurrency = 1;
      there.serve("users", how, plain, late);
      for (int i = 0; i < 2; ++i) {
        calls.push_back(on.spawn(users.execute<int>("plain", i)));
        calls.push_back(on.spawn(users.execute<int>("late", i)));
      }
    }
    msgbus::memory_broker broker;
    service commands;
    bridge there;
    bridge here;
    remote_service users;
    std::vector<msgbus::testing::spawned<int>> calls;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](stepping_context& on) { return std::make_unique<scenario>(on); });
  CHECK(report.steps > 10);
}

TEST_CASE("commands of several threads are each answered once, also while their link ends") {
  asio::thread_pool pool(2);
  asio::io_context front;
  asio::io_context back;
  const msgbus::memory_broker broker;
  service commands(pool.get_executor());
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  const auto enter = [&] {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
  };
  auto plain = commands.handler("plain", [&](int n) {
    enter();
    --running;
    return n;
  });
  auto late = commands.handler("late", [&](int n) -> awaitable<int> {
    enter();
    co_await hop();
    --running;
    co_return n;
  });
  std::optional<bridge> there(broker.connect(back.get_executor()));
  bridge here(broker.connect(front.get_executor()));
  msgbus::serve_options how;
  how.concurrency = 3;
  how.buffer = 4000;
  auto served = there->serve("users", how, plain, late);
  const remote_service users(here, "users", {.timeout = 1s});
  std::atomic<int> right{0};
  std::atomic<int> refused{0};
  std::atomic<int> lost{0};
  int left = 8;
  const auto call = [&](int from) -> awaitable<void> {
    for (int i = 0; i < 400; ++i) {
      const int number = from * 1000 + i;
      try {
        auto asking = users.execute<int>(i % 2 == 0 ? "plain" : "late", number);
        const int got = co_await std::move(asking);
        if (got == number) ++right;
      } catch (const msgbus::error& e) {
        if (e.code() == errc::no_handler) ++refused;  // the link has ended
        if (e.code() == errc::timed_out) ++lost;      // it has ended while this was on its way
      }
      if (from == 0 && i == 300) served.cancel();
    }
    if (--left == 0) here.close();
  };
  auto work = asio::make_work_guard(back);
  std::thread other([&] { back.run(); });
  const auto must_succeed = [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  };
  for (int i = 0; i < 8; ++i) asio::co_spawn(front, call(i), must_succeed);
  front.run();
  there.reset();
  work.reset();
  other.join();
  pool.join();  // an answer is counted after it has been sent
  CHECK(right + refused + lost == 8 * 400);
  CHECK(lost <= 8);
  CHECK(right > 0);
  CHECK(served.stats().answered == static_cast<std::uint64_t>(right.load()));
  CHECK(served.stats().in_flight == 0);
  CHECK(most <= 3);
  CHECK(is_conserved(commands.stats()));
}

}  // namespace served_test
