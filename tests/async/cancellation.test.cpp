// What is left when verbs are cancelled: nothing that runs, nothing that is lost.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace cancellation_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::testing::shuffled;
using msgbus::testing::stepping_context;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_aborted;
using msgbus_test::is_conserved;

namespace {

struct numbered {
  int n = 0;
};

/// Counts who is inside.
struct inside {
  explicit inside(int& in) : count(in) { ++count; }
  inside(const inside&) = delete;
  ~inside() { --count; }
  int& count;
};

std::string clean_ups;
awaitable<void> open_session(msgbus::async::yield<int> yield) {
  clean_ups += "(";
  std::exception_ptr failure;
  try {
    co_await yield(1);
  } catch (...) {
    failure = std::current_exception();
  }
  if (is_aborted(failure)) clean_ups += "aborted";
  co_await hop(3);
  clean_ups += ")";
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

TEST_CASE("a cancelled consume cancels the handler, starts no other, and waits for its end",
          "[A1][A9]") {
  for (const bool same_executor : {true, false}) {
    stepping_context context, other;
    consumer events(same_executor ? context.get_executor() : other.get_executor());
    gate never;
    int running = 0, second = 0;
    events.handler([&](const numbered&) -> awaitable<void> {
      const inside here(running);
      std::exception_ptr failure;
      try {
        co_await never.wait();
      } catch (...) {
        failure = std::current_exception();
      }
      co_await asio::this_coro::throw_if_cancelled(false);
      co_await hop(5);
      std::rethrow_exception(failure);
    });
    events.handler([&](const numbered&) { ++second; });
    auto consumed = context.spawn(events.consume(numbered{1}));
    while (context.run() + other.run() != 0) {
    }
    CHECK(running == 1);
    consumed.cancel();
    while (!consumed.done() && (context.step() || other.step())) {
    }
    CHECK(running == 0);
    CHECK(second == 0);
    CHECK(is_aborted(consumed.failure()));
    CHECK(events.stats().abandoned == 1);
    CHECK(is_conserved(events.stats()));
  }
}

TEST_CASE("a verb that is cancelled in its last handler, which ends well, has succeeded", "[A9]") {
  stepping_context context;
  consumer events(context.get_executor());
  gate open;
  events.handler([&](const numbered&) -> awaitable<void> {
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
      co_await open.wait();
    } catch (const asio::system_error&) {
    }
  });
  auto consumed = context.spawn(events.consume(numbered{1}));
  context.run();
  consumed.cancel();
  context.run();
  CHECK(consumed.get() == 1);
  CHECK(events.stats().handled == 1);
}

TEST_CASE("a verb that loses a race against a timer has left nothing running", "[A1][A9]") {
  using namespace asio::experimental::awaitable_operators;
  using namespace std::chrono_literals;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    stepping_context context(shuffled{seed});
    msgbus::testing::manual_clock clock(context);
    consumer first(context.get_executor()), second(context.get_executor());
    producer source;
    source.bind(first, second);
    gate never;
    int running = 0;
    const auto handle = [&](const numbered&) -> awaitable<void> {
      const inside here(running);
      co_await never.wait();
    };
    first.handler(handle);
    second.handler(handle, {.timeout = 1h});
    bool timer_won = false;
    auto race = [&]() -> awaitable<void> {
      const auto result = co_await (source.dispatch<numbered>(1) || msgbus::exec::sleep(10ms));
      timer_won = result.index() == 1;
      CHECK(running == 0);
    };
    clock.run(context, race());
    CHECK(timer_won);
    context.run();
    CHECK(clock.waiting() == 0);
    CHECK(first.stats().abandoned == 1);
    CHECK(second.stats().abandoned == 1);
  }
}

TEST_CASE("resolved values are released after a cancellation, by clean-up that awaits",
          "[I2][A9]") {
  for (const bool coroutine : {true, false}) {
    stepping_context context;
    clean_ups.clear();
    consumer events(context.get_executor());
    gate never;
    auto waits = [&never]() -> awaitable<int> {
      co_await never.wait();
      co_return 1;
    };
    static constexpr msgbus::required<int> slow{"slow"};
    events.override(slow, waits);
    if (coroutine) {
      events.handler([&](const numbered&, msgbus::depends<open_session>) -> awaitable<void> {
        co_await never.wait();
      });
    } else {
      events.handler([&](const numbered&, msgbus::depends<open_session>, msgbus::depends<slow>) {});
    }
    auto consumed = context.spawn(events.consume(numbered{1}));
    context.run();
    CHECK(never.came() == 1);
    consumed.cancel();
    context.run();
    CHECK(is_aborted(consumed.failure()));
    CHECK(clean_ups == "(aborted)");
  }
}

TEST_CASE("a send that is cancelled while it waits has sent nothing, the others all", "[A9][A6]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    for (int steps = 0; steps < 40; ++steps) {
      stepping_context context(shuffled{seed});
      consumer events(context.get_executor(), {.capacity = 1});
      std::vector<int> got;
      events.handler([&](const numbered& each) -> awaitable<void> {
        co_await hop();
        got.push_back(each.n);
      });
      auto first = context.spawn(events.send<numbered>(1));
      auto second = context.spawn(events.send<numbered>(2));
      auto third = context.spawn(events.send<numbered>(3));
      auto fourth = context.spawn(events.send<numbered>(4));
      for (int i = 0; i < steps && context.step(); ++i) {
      }
      third.cancel();
      context.run();
      const bool aborted = is_aborted(third.failure());
      CHECK((aborted || third.get().admitted == 1));
      CHECK(std::count(got.begin(), got.end(), 3) == (aborted ? 0 : 1));
      CHECK(got.size() == (aborted ? 3u : 4u));
      CHECK(first.get().admitted + second.get().admitted + fourth.get().admitted == 3);
      CHECK(is_conserved(events.stats()));
      CHECK(events.stats().accepted == got.size());
    }
  }
}

TEST_CASE("a next() that is cancelled has taken nothing, at every alignment", "[A9]") {
  using namespace asio::experimental::awaitable_operators;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    stepping_context context(shuffled{seed});
    consumer events(context.get_executor(), {.capacity = 2});
    auto stream = events.stream_of<numbered>({.capacity = 2});
    std::vector<int> got;
    auto take = [&]() -> awaitable<void> {
      for (;;) {
        auto result = co_await (stream.next() || hop(static_cast<int>(seed % 5)));
        if (result.index() == 1) {
          co_await hop();
          continue;
        }
        const auto& event = std::get<0>(result);
        if (!event) co_return;
        got.push_back(event->n);
      }
    };
    auto give = [&]() -> awaitable<void> {
      for (int i = 0; i < 30; ++i) {
        (void)co_await events.send<numbered>(i);
        if (i % 4 == 0) co_await hop(i % 7);
      }
      events.close();
    };
    auto taking = context.spawn(take());
    auto giving = context.spawn(give());
    context.run();
    taking.get();
    giving.get();
    std::vector<int> all(30);
    for (int i = 0; i < 30; ++i) all[static_cast<std::size_t>(i)] = i;
    CHECK(got == all);
  }
}

TEST_CASE("a send that loses a race is not counted twice and not lost", "[A9][A7]") {
  using namespace asio::experimental::awaitable_operators;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    stepping_context context(shuffled{seed});
    consumer events(context.get_executor(), {.capacity = 1});
    std::vector<int> got;
    events.handler([&](const numbered& each) -> awaitable<void> {
      if (each.n % 2) co_await hop(3);
      got.push_back(each.n);
    });
    auto give = [&]() -> awaitable<void> {
      for (int i = 0; i < 25;) {
        auto result = co_await (events.send<numbered>(i) || hop(static_cast<int>(seed % 6)));
        if (result.index() == 0) ++i;  // else it was not sent: again
      }
    };
    context.run(give());
    context.run();
    std::vector<int> all(25);
    for (int i = 0; i < 25; ++i) all[static_cast<std::size_t>(i)] = i;
    CHECK(got == all);
    CHECK(events.stats().handled == 25);
  }
}

TEST_CASE("a handler that changes its cancellation state does so for itself alone", "[A9][A10]") {
  stepping_context context;
  msgbus::testing::manual_clock clock(context);
  consumer events(context.get_executor());
  events.observe(std::make_shared<msgbus::observer>());
  gate never;
  bool aborted = false;
  events.handler([&](const numbered& each) -> awaitable<void> {
    if (each.n == 1) {
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      co_await asio::this_coro::throw_if_cancelled(false);
      co_await hop();
      co_return;
    }
    try {
      co_await never.wait();
    } catch (const asio::system_error&) {
      aborted = true;
      throw;
    }
  });
  (void)events.post(numbered{1});
  (void)events.post(numbered{2});
  context.run();
  const auto report = clock.run(context, events.drain(std::chrono::milliseconds(10)));
  CHECK(aborted);
  CHECK(report == msgbus::drain_report{.abandoned = 1});
}

TEST_CASE("a verb that is cancelled at several components is aborted once", "[A9][A3]") {
  stepping_context context;
  stepping_context elsewhere;
  consumer first(context.get_executor(), {.capacity = 1});
  consumer second(context.get_executor(), {.capacity = 1});
  consumer third(elsewhere.get_executor(), {.capacity = 1});
  producer all;
  all.bind(first, second, third);
  gate never;
  for (consumer* const each : {&first, &second, &third}) {
    each->observe(std::make_shared<msgbus::observer>());
    each->handler([&](const numbered&) -> awaitable<void> { co_await never.wait(); });
  }
  const auto run = [&] {
    while (context.run() + elsewhere.run() != 0) {
    }
  };
  SECTION("handlers") {
    auto dispatched = context.spawn(all.dispatch<numbered>(1));
    run();
    CHECK(never.came() == 3);
    dispatched.cancel();
    run();
    CHECK(is_aborted(dispatched.failure()));
  }
  SECTION("before it has begun elsewhere") {
    auto dispatched = context.spawn(all.dispatch<numbered>(1));
    context.run();
    dispatched.cancel();
    run();
    CHECK(is_aborted(dispatched.failure()));
  }
  SECTION("waiting for room") {
    for (int i = 0; i < 2; ++i) {
      (void)all.post(numbered{i});
      run();
    }
    auto sent = context.spawn(all.send<numbered>(2));
    run();
    CHECK_FALSE(sent.done());
    sent.cancel();
    run();
    CHECK(is_aborted(sent.failure()));
  }
}

}  // namespace cancellation_test
