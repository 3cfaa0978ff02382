// Verbs that are cancelled before they have begun on another executor, which may run nothing.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace not_begun_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::manual_clock;
using msgbus::testing::probe;
using msgbus::testing::seen;
using msgbus::testing::stepping_context;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

/// Components here and on a context that nobody runs.
struct scene {
  scene() {
    const auto handle = [count = begun](const numbered&) -> awaitable<void> {
      ++*count;
      co_return;
    };
    const auto number = [count = begun](int) -> awaitable<void> {
      ++*count;
      co_return;
    };
    for (auto* const each : {&away, &far}) {
      (*each)->handler(handle);
      (*each)->observe(watching);
      all.bind(**each);
    }
    sends_away->handler(handle, {.executor = elsewhere->get_executor()});
    retries_away->handler(handle, {.executor = elsewhere->get_executor(),
                                   .timeout = 1h,
                                   .retry = {.attempts = 3, .backoff = 1ms}});
    topics->subscribe("a", number);
    paper.bind(*topics);
    update = commands->handler("update", number);
  }

  /// All that was accepted by the components, and what became of it.
  [[nodiscard]] msgbus::counters total() const {
    msgbus::counters sum;
    for (const msgbus::counters& each :
         {away->stats(), far->stats(), sends_away->stats(), retries_away->stats(), topics->stats(),
          commands->stats()}) {
      CHECK(is_conserved(each));
      sum.accepted += each.accepted;
      sum.rejected += each.rejected;
      sum.abandoned += each.abandoned;
    }
    return sum;
  }

  /// What the handlers belong to goes; what they have counted stays.
  void destroy_components() {
    for (auto* const each : {&away, &far, &sends_away, &retries_away}) each->reset();
    topics.reset();
    commands.reset();
  }

  stepping_context context;
  manual_clock clock{context};
  std::optional<stepping_context> elsewhere{std::in_place};
  std::shared_ptr<int> begun = std::make_shared<int>(0);
  probe watching;
  std::unique_ptr<consumer> away = std::make_unique<consumer>(elsewhere->get_executor());
  std::unique_ptr<consumer> far = std::make_unique<consumer>(elsewhere->get_executor());
  std::unique_ptr<consumer> sends_away = std::make_unique<consumer>(context.get_executor());
  std::unique_ptr<consumer> retries_away = std::make_unique<consumer>(context.get_executor());
  std::unique_ptr<subscriber> topics = std::make_unique<subscriber>(elsewhere->get_executor());
  std::unique_ptr<service> commands = std::make_unique<service>(elsewhere->get_executor());
  msgbus::async::operation<void(int)> update;
  producer all;
  publisher paper;
};

struct verb {
  const char* name;
  awaitable<void> (*call)(scene&);
  std::uint64_t components = 1;
};

const verb verbs[] = {
    {"consume", [](scene& in) -> awaitable<void> { (void)co_await in.away->consume<numbered>(1); }},
    {"dispatch", [](scene& in) -> awaitable<void> { (void)co_await in.all.dispatch<numbered>(1); },
     2},
    {"receive", [](scene& in) -> awaitable<void> { (void)co_await in.topics->receive(1, "a"); }},
    {"publish", [](scene& in) -> awaitable<void> { (void)co_await in.paper.publish(1, "a"); }},
    {"execute", [](scene& in) -> awaitable<void> { co_await in.commands->execute("update", 1); }},
    {"operation", [](scene& in) -> awaitable<void> { co_await in.update(1); }},
    {"a handler's executor",
     [](scene& in) -> awaitable<void> { (void)co_await in.sends_away->consume<numbered>(1); }},
    {"a handler's executor, with a timeout and retries",
     [](scene& in) -> awaitable<void> { (void)co_await in.retries_away->consume<numbered>(1); }},
};

}  // namespace

TEST_CASE("a verb that has not begun elsewhere is given up at once, and never begins",
          "[A1][A7][A9]") {
  enum class then { run, destroy_components, destroy_context };
  for (const verb& each : verbs) {
    for (const then after : {then::run, then::destroy_components, then::destroy_context}) {
      INFO(each.name << ", then " << static_cast<int>(after));
      scene in;
      auto called = in.context.spawn(each.call(in));
      in.context.run();
      CHECK_FALSE(called.done());
      called.cancel();
      in.context.run();
      REQUIRE(called.done());  // although the other context has run nothing
      CHECK(is_aborted(called.failure()));
      CHECK(in.total().accepted == each.components);
      CHECK(in.total().abandoned == each.components);
      CHECK(in.watching.count(seen::accepted) == in.watching.count(seen::abandoned));
      if (after == then::destroy_components) in.destroy_components();
      if (after == then::destroy_context) in.elsewhere.reset();
      if (in.elsewhere) in.elsewhere->run();
      in.context.run();
      CHECK(*in.begun == 0);
      if (after != then::destroy_components) CHECK(in.total().abandoned == each.components);
    }
  }
}

TEST_CASE("a timer wins a race against a verb on an executor that runs nothing", "[A9]") {
  using namespace asio::experimental::awaitable_operators;
  for (const verb& each : verbs) {
    INFO(each.name);
    scene in;
    const auto before = in.clock.now();
    const auto race = [&]() -> awaitable<std::size_t> {
      const auto first = co_await (each.call(in) || msgbus::exec::sleep(10ms));
      co_return first.index();
    };
    CHECK(in.clock.run(in.context, race()) == 1);
    CHECK(in.clock.now() - before == 10ms);
    in.elsewhere->run();
    CHECK(*in.begun == 0);
  }
}

TEST_CASE("a verb that is given up at a closed component is rejected", "[A7][A9]") {
  scene in;
  auto called = in.context.spawn(in.away->consume<numbered>(1));
  in.context.run();
  in.away->close();
  called.cancel();
  in.context.run();
  REQUIRE(called.done());
  CHECK(is_aborted(called.failure()));
  CHECK(in.away->stats().rejected == 1);
  CHECK(in.away->stats().accepted == 0);
  CHECK(is_conserved(in.away->stats()));
}

TEST_CASE("of several components, those that have begun are waited for, the others given up",
          "[A1][A3][A9]") {
  scene in;
  consumer here(in.context.get_executor());
  bool ended = false;
  msgbus_test::gate never;
  here.handler([&](const numbered&) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
      co_await never.wait();
    } catch (const asio::system_error&) {
    }
    co_await msgbus_test::hop(5);
    ended = true;
    throw std::runtime_error("its own");
  });
  in.all.bind(here);
  auto called = in.context.spawn(in.all.dispatch<numbered>(1));
  in.context.run();
  called.cancel();
  in.context.run();
  REQUIRE(called.done());
  CHECK(ended);
  CHECK_THROWS_WITH(called.get(), "its own");
  CHECK(in.total().abandoned == 2);
  CHECK(here.stats().abandoned == 1);
}

TEST_CASE("a cancelled handler does not keep the other context running", "[A9][A12]") {
  stepping_context context;
  asio::io_context elsewhere;
  consumer events(elsewhere.get_executor());
  int begun = 0;
  events.handler([&](const numbered&) -> awaitable<void> {
    ++begun;
    co_return;
  });
  auto called = context.spawn(events.consume<numbered>(1));
  context.run();
  called.cancel();
  context.run();
  CHECK(called.done());
  elsewhere.run();  // returns
  CHECK(begun == 0);
}

TEST_CASE("a send to a component that runs nothing is cancelled at once", "[A9][A6]") {
  stepping_context context, elsewhere;
  consumer events(elsewhere.get_executor(), {.capacity = 1});
  producer all;
  consumer second(elsewhere.get_executor(), {.capacity = 1});
  all.bind(events, second);
  (void)events.post(numbered{1});
  (void)second.post(numbered{1});
  auto sent = context.spawn(events.send<numbered>(2));
  auto sent_to_all = context.spawn(all.send<numbered>(3));
  context.run();
  CHECK_FALSE(sent.done());
  CHECK_FALSE(sent_to_all.done());
  sent.cancel();
  sent_to_all.cancel();
  context.run();
  CHECK(is_aborted(sent.failure()));
  CHECK(is_aborted(sent_to_all.failure()));
  CHECK(events.stats().accepted == 1);
}

}  // namespace not_begun_test
