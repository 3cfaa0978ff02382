// Components, and whatever else stores an executor, outlive the execution context (A12). The strand
// of an executor must not: every copy is released when the context ends.

#include <msgbus/async.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thrown.hpp"
#include "support/watched_executor.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace outliving_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::hop;
using msgbus_test::watched_executor;
using namespace std::chrono_literals;

namespace {

struct ping {
  int n = 0;
};

/// An executor whose context is destroyed by the test, and whether a copy of it is left.
struct watched {
  explicit watched(watched_executor of) : copies(of.copies()), executor(std::move(of)) {}
  [[nodiscard]] static watched strand_of(const asio::any_io_executor& over) {
    watched made{watched_executor::over(over)};
    made.executor = asio::make_strand(made.executor);
    return made;
  }

  std::weak_ptr<void> copies;
  asio::any_io_executor executor;
};

/// Runs coroutines, some of which wait for other threads.
struct loop {
  template <class T>
  T run(awaitable<T> what) {
    auto running = steps.spawn(std::move(what));
    CHECK(steps.run_until([&] { return running.done(); }, 1min));
    return running.get();
  }
  [[nodiscard]] asio::any_io_executor executor() { return steps.get_executor(); }

  msgbus::testing::stepping_context steps;
};

/// What a program keeps for longer than the context.
struct kept {
  explicit kept(const asio::any_io_executor& on)
      : idle(on),
        events(on, {.capacity = 4}),
        many(on, {.concurrency = 2}),
        news(on),
        commands(on),
        timer(on),
        stream(events.stream_of<std::string>()) {
    for (auto* each : {&events, &many}) {
      each->handler([](const ping&) -> awaitable<void> { co_await hop(3); }, {.timeout = 1h});
    }
    subscription = news.subscribe("a", [](const ping&) {});
    command = commands.handler("ping", [](int n) { return n; });
    timer.start(1h, [] {});
    for (auto* each : {&events, &many}) (void)each->post(ping{1});
    (void)news.post(ping{1}, "a");
  }

  consumer idle, events, many;
  subscriber news;
  service commands;
  msgbus::exec::timer timer;
  msgbus::stream<std::string> stream;
  msgbus::subscription subscription;
  msgbus::async::operation<int(int)> command;
};

/// Each use after the end is refused.
void check_refuses(kept& all) {
  CHECK_FALSE(all.idle.get_executor());
  CHECK(all.idle.post(ping{1}) == msgbus::receipt{.rejected = 1});
  CHECK(all.news.post(ping{1}, "a") == msgbus::receipt{.rejected = 1});
  loop here;
  const auto code = [&](auto verb) {
    return msgbus_test::code_of([&] { here.run(std::move(verb)); });
  };
  CHECK(code(all.events.consume<ping>(1)) == msgbus::errc::closed);
  CHECK(code(all.many.consume<ping>(1)) == msgbus::errc::closed);
  CHECK(code(all.news.receive(ping{1}, "a")) == msgbus::errc::closed);
  CHECK(code(all.command(1)) == msgbus::errc::closed);
  CHECK(here.run(all.events.send<ping>(1)) == msgbus::receipt{.rejected = 1});
  CHECK(here.run(all.events.drain(1h)) == msgbus::drain_report{});
  producer source;
  source.bind(all.events);
  CHECK(code(source.dispatch<ping>(1)) == msgbus::errc::closed);
  all.timer.start(1h, [] {});
  all.subscription.cancel();
  CHECK(msgbus_test::is_conserved(all.events.stats()));
  CHECK(msgbus_test::is_conserved(all.many.stats()));
}

/// Everything is made on an executor of a context, which goes after so many steps.
template <class Make>
void outlive(int steps, Make make) {
  auto context = std::make_unique<asio::io_context>();
  watched on = make(*context);
  kept all(on.executor);
  on.executor = {};
  for (; steps != 0; --steps) context->poll_one();
  CHECK_FALSE(on.copies.expired());
  context.reset();
  CHECK(on.copies.expired());
  check_refuses(all);
}

}  // namespace

TEST_CASE("components outlive an io_context, and keep no executor of it", "[A12]") {
  // Messages wait, handlers are suspended, and nothing is left but a timer.
  for (const int steps : {0, 1, 3, 5, 40}) {
    outlive(steps, [](asio::io_context& context) {
      return watched(watched_executor::over(context.get_executor()));
    });
    outlive(steps,
            [](asio::io_context& context) { return watched::strand_of(context.get_executor()); });
  }
}

TEST_CASE("components outlive a thread_pool, and keep no executor of it", "[A12]") {
  auto pool = std::make_unique<asio::thread_pool>(2);
  std::optional<watched> on(watched::strand_of(pool->get_executor()));
  kept all(on->executor);
  on->executor = {};
  CHECK_FALSE(on->copies.expired());
  pool->stop();
  pool.reset();
  CHECK(on->copies.expired());
  check_refuses(all);
}

TEST_CASE("a component on a strand of a context that has gone may be used and destroyed", "[A12]") {
  // Nobody else holds the strand: it would be destroyed with the component.
  auto context = std::make_unique<asio::io_context>();
  auto events = std::make_unique<consumer>(asio::make_strand(*context));
  events->handler([](const ping&) {});
  context.reset();
  CHECK(events->post(ping{}) == msgbus::receipt{.rejected = 1});
  events.reset();
}

TEST_CASE("a handler whose policy names an executor outlives the context of that", "[A12]") {
  loop here;
  consumer events(here.executor());
  service commands(here.executor());
  auto pool = std::make_unique<asio::thread_pool>(1);
  std::optional<watched> on(watched::strand_of(pool->get_executor()));
  int calls = 0;
  events.handler([&](const ping&) { ++calls; },
                 {.executor = on->executor, .retry = {.attempts = 3, .backoff = 1ms}});
  auto command = commands.handler("ping", [&](int n) { return ++calls, n; },
                                  {.executor = on->executor, .timeout = 1h});
  CHECK(here.run(events.consume<ping>(1)) == 1);
  CHECK(here.run(command(7)) == 7);
  on->executor = {};
  CHECK_FALSE(on->copies.expired());
  pool->stop();
  pool.reset();
  CHECK(on->copies.expired());
  const auto code = [&](auto verb) {
    return msgbus_test::code_of([&] { here.run(std::move(verb)); });
  };
  CHECK(code(events.consume<ping>(1)) == msgbus::errc::closed);
  CHECK(code(command(7)) == msgbus::errc::closed);
  CHECK(calls == 2);
  CHECK(events.stats().failed == 1);
}

TEST_CASE("a handler that destroys the context of another component does not stop the dispatch",
          "[A12]") {
  loop here;
  auto there = std::make_unique<asio::io_context>();
  consumer events(here.executor());
  consumer other(asio::make_strand(*there));
  producer source;
  source.bind(other, events);
  int calls = 0;
  other.handler([](const ping&) {});
  events.handler([&](const ping&) {
    ++calls;
    there.reset();
  });
  const auto failure = msgbus_test::thrown_by([&] { return here.run(source.dispatch<ping>(1)); });
  CHECK(msgbus_test::is_aborted(failure));
  CHECK(calls == 1);
}

}  // namespace outliving_test
