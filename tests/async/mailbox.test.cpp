// What a component's mailbox does: order, bounds, overflow, deadlocks.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace mailbox_test {

using asio::awaitable;
using msgbus::overflow;
using msgbus::receipt;
using msgbus::async::consumer;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_conserved;

namespace {

struct numbered {
  int n = 0;
};

/// A consumer whose handler writes down what it gets and then waits to be let on.
struct blocked_consumer {
  blocked_consumer(stepping_context& context, msgbus::mailbox_options options)
      : events(context.get_executor(), options) {
    events.handler([this](const numbered& each) -> awaitable<void> {
      got.push_back(each.n);
      most_at_once = std::max(most_at_once, ++at_once);
      co_await open.wait();
      --at_once;
    });
  }
  gate open;
  std::vector<int> got;
  int at_once = 0, most_at_once = 0;
  consumer events;
};

}  // namespace

TEST_CASE("messages are handled one by one, in the order in which they were sent", "[A4]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    stepping_context context(shuffled{seed});
    std::vector<int> got;
    consumer events(context.get_executor(), {.capacity = 4});
    int at_once = 0;
    events.handler([&](const numbered& each) -> awaitable<void> {
      CHECK(++at_once == 1);
      if (each.n % 3 == 0) co_await hop(each.n % 7);
      got.push_back(each.n);
      --at_once;
    });
    auto sender = [&]() -> awaitable<void> {
      for (int i = 0; i < 60; ++i) {
        if (i % 5 == 4) {
          while (events.post<numbered>(i).rejected) co_await hop();
        } else {
          (void)co_await events.send<numbered>(i);
        }
      }
    };
    context.run(sender());
    context.run();
    REQUIRE(got.size() == 60);
    CHECK(std::is_sorted(got.begin(), got.end()));
  }
}

TEST_CASE("a mailbox never holds more than its capacity, and senders wait in their order",
          "[A6][A4]") {
  for (const std::size_t capacity : {1u, 2u, 3u, 8u}) {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      std::optional<stepping_context> ordered;
      std::optional<stepping_context> mixed;
      stepping_context& context = seed == 0 ? ordered.emplace() : mixed.emplace(shuffled{seed});
      blocked_consumer h(context, {.capacity = capacity});
      CHECK(h.events.post(numbered{0}).admitted == 1);
      context.run();
      std::vector<spawned<receipt>> sent;
      for (int i = 1; i <= 20; ++i) {
        sent.push_back(context.spawn(h.events.send(numbered{i})));
        context.run();
        CHECK(h.events.waiting() <= capacity);
      }
      CHECK(std::count_if(sent.begin(), sent.end(), [](auto& s) { return s.done(); }) ==
            static_cast<long>(capacity));
      CHECK(h.events.post(numbered{99}).rejected == 1);
      h.open.open();
      while (context.step()) CHECK(h.events.waiting() <= capacity);
      for (auto& each : sent) CHECK(each.get() == receipt{.admitted = 1});
      REQUIRE(h.got.size() == 21);
      // Woken first come first served; a shuffled executor lets them go on in another order.
      if (seed == 0) CHECK(std::is_sorted(h.got.begin(), h.got.end()));
      CHECK(is_conserved(h.events.stats()));
      CHECK(h.events.stats().rejected == 1);
    }
  }
}

TEST_CASE("a full mailbox rejects, or drops the newest or the oldest, as its options say", "[A6]") {
  struct expected {
    overflow how;
    receipt answer;
    std::vector<int> got;
    std::uint64_t rejected, dropped;
  };
  const expected all[] = {
      {overflow::reject, {.rejected = 1}, {0, 1, 2}, 4, 0},
      {overflow::drop_newest, {.dropped = 1}, {0, 1, 2}, 0, 4},
      {overflow::drop_oldest, {.admitted = 1}, {0, 5, 6}, 0, 4},
  };
  for (const expected& each : all) {
    stepping_context context;
    blocked_consumer h(context, {.capacity = 2, .on_full = each.how});
    CHECK(h.events.post(numbered{0}).admitted == 1);
    context.run();
    CHECK(h.events.post(numbered{1}).admitted == 1);
    CHECK(h.events.post(numbered{2}).admitted == 1);
    CHECK(h.events.post(numbered{3}) == each.answer);
    CHECK(context.run(h.events.send(numbered{4})) == each.answer);
    CHECK(context.run(h.events.send(numbered{5})) == each.answer);
    CHECK(h.events.post(numbered{6}) == each.answer);
    CHECK(h.events.waiting() == 2);
    h.open.open();
    context.run();
    CHECK(h.got == each.got);
    const auto stats = h.events.stats();
    CHECK(stats.rejected == each.rejected);
    CHECK(stats.dropped == each.dropped);
    CHECK(stats.offered == 7);
    CHECK(is_conserved(stats));
  }
}

TEST_CASE("a send from a handler into its own full mailbox is would_deadlock", "[A6]") {
  stepping_context context;
  consumer events(context.get_executor(), {.capacity = 1});
  std::vector<std::error_code> codes;
  std::vector<std::size_t> admitted;
  events.handler([&](const numbered& each) -> awaitable<void> {
    if (each.n != 0) co_return;
    co_await hop();
    for (int i = 1; i <= 2; ++i) {
      std::error_code code;
      try {
        const receipt sent = co_await events.send<numbered>(i);
        admitted.push_back(sent.admitted);
      } catch (const msgbus::error& e) {
        code = e.code();
      }
      codes.push_back(code);
    }
  });
  (void)events.post(numbered{0});
  context.run();
  CHECK(admitted == std::vector<std::size_t>{1});
  CHECK(codes == std::vector{std::error_code(), make_error_code(msgbus::errc::would_deadlock)});
  CHECK(events.stats().handled == 2);
}

TEST_CASE("would_deadlock is seen through other components and the policy's executor", "[A6]") {
  stepping_context context, elsewhere;
  for (const bool has_policy : {false, true}) {
    consumer first(context.get_executor(), {.capacity = 1});
    consumer second(has_policy ? elsewhere.get_executor() : context.get_executor());
    std::error_code code;
    msgbus::policy how;
    if (has_policy) how.executor = elsewhere.get_executor();
    first.handler(
        [&](const numbered& each) -> awaitable<void> {
          if (each.n == 0) co_await second.consume<double>(0.5);
        },
        how);
    second.handler([&](double) -> awaitable<void> {
      co_await hop();
      (void)first.post(numbered{1});
      try {
        (void)co_await first.send<numbered>(2);
      } catch (const msgbus::error& e) {
        code = e.code();
      }
    });
    (void)first.post(numbered{0});
    while (context.run() + elsewhere.run() != 0) {
    }
    CHECK(code == msgbus::errc::would_deadlock);
    CHECK(first.stats().handled == 2);
  }
}

TEST_CASE("a handler of an awaited verb may wait for room in its own component", "[A6]") {
  stepping_context context;
  consumer events(context.get_executor(), {.capacity = 1});
  int handled = 0;
  events.handler([&](double) -> awaitable<void> {
    for (int i = 0; i < 10; ++i) (void)co_await events.send<numbered>(i);
  });
  events.handler([&](const numbered&) -> awaitable<void> {
    co_await hop();
    ++handled;
  });
  CHECK(context.run(events.consume(0.5)) == 1);
  context.run();
  CHECK(handled == 10);
}

TEST_CASE("with concurrency n, up to n messages are handled at once", "[A5]") {
  stepping_context context;
  blocked_consumer h(context, {.concurrency = 3});
  for (int i = 0; i < 10; ++i) (void)h.events.post(numbered{i});
  context.run();
  CHECK(h.at_once == 3);
  CHECK(h.events.waiting() == 7);
  h.open.open();
  context.run();
  CHECK(h.most_at_once == 3);
  CHECK(h.got.size() == 10);
}

TEST_CASE("a busy mailbox lets others have their turn, and an idle one does nothing", "[A11]") {
  stepping_context context;
  consumer events(context.get_executor());
  int handled = 0, most_in_a_step = 0;
  events.handler([&](const numbered&) { ++handled; });
  for (int i = 0; i < 1000; ++i) (void)events.post(numbered{i});
  int before = 0;
  bool other = false;
  asio::post(context.get_executor(), [&] {
    other = true;
    CHECK(handled < 1000);
  });
  while (context.step()) {
    most_in_a_step = std::max(most_in_a_step, handled - before);
    before = handled;
  }
  CHECK(handled == 1000);
  CHECK(other);
  CHECK(most_in_a_step <= 64);
  CHECK(context.pending() == 0);
}

TEST_CASE("a busy mailbox with a handler that never suspends does not starve its executor",
          "[A11]") {
  stepping_context context;
  consumer events(context.get_executor());
  bool stop = false;
  events.handler([&](const numbered& each) -> awaitable<void> {
    if (!stop) (void)events.post<numbered>(each.n + 1);
    co_return;
  });
  (void)events.post(numbered{0});
  asio::post(context.get_executor(), [&] { stop = true; });
  context.run();
  CHECK(stop);
}

}  // namespace mailbox_test
