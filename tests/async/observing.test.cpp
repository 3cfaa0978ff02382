// Where failures of sent messages go, and what an observer is told (A8).

#include <msgbus/async.hpp>

#include <msgbus/counters.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/probe.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/recorder.hpp"
#include "support/stderr_of.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace observing_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus::testing::stepping_context;
using msgbus_test::contains;
using msgbus_test::hop;
using msgbus_test::recorder;
using msgbus_test::stderr_of;

using steps = std::vector<std::string>;

TEST_CASE("an exception of a sent message's handler is one line on stderr without an observer",
          "[A8]") {
  stepping_context context;
  consumer events(context.get_executor());
  events.handler([](int) { throw std::runtime_error("plain sentence"); });
  events.handler([](int) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("awaited sentence");
  });
  const std::string text = stderr_of([&] {
    (void)events.post(5);
    context.run();
  });
  CHECK_THAT(text, contains("plain sentence"));
  CHECK_THAT(text, contains("awaited sentence"));
  CHECK_THAT(text, contains("int"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(events.stats().failed == 1);
}

TEST_CASE("a topic's failure names the topic, and one of an awaited verb is its caller's", "[A8]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  messages.subscribe("a.*", [](int) { throw std::runtime_error("sentence"); });
  const std::string sent = stderr_of([&] {
    (void)messages.post(5, "a.b");
    context.run();
  });
  CHECK_THAT(sent, contains("a.b"));
  CHECK_THAT(sent, contains("sentence"));
  const std::string awaited =
      stderr_of([&] { CHECK_THROWS(context.run(messages.receive(5, "a.b"))); });
  CHECK(awaited.empty());
  const std::string mismatched = stderr_of([&] {
    (void)messages.post(std::string("x"), "a.b");
    context.run();
  });
  CHECK_THAT(mismatched, contains("a.b"));
}

TEST_CASE("messages that the end of a component abandons are one line on stderr", "[A8][A10]") {
  struct placed {};
  std::optional<stepping_context> context(std::in_place);
  msgbus::testing::manual_clock clock(*context);
  std::optional<consumer> events(std::in_place, context->get_executor());
  events->handler([](const placed&) -> awaitable<void> {
    co_await msgbus::exec::sleep(std::chrono::hours(1));
  });
  for (int i = 0; i < 3; ++i) (void)events->post(placed{});
  SECTION("a component that is destroyed, with a handler suspended") {
    const std::string text = stderr_of([&] {
      context->run();
      events.reset();
      context->run();
    });
    CHECK_THAT(text, contains("the consumer or its execution context was destroyed"));
    CHECK_THAT(text, contains("3 unfinished messages"));
    CHECK_THAT(text, contains("placed"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  }
  SECTION("a context that is destroyed") {
    const std::string text = stderr_of([&] {
      context.reset();
      events.reset();
    });
    CHECK_THAT(text, contains("3 unfinished messages"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  }
  SECTION("an observer is told instead") {
    const msgbus::testing::probe watching;
    events->observe(watching);
    const std::string text = stderr_of([&] {
      events.reset();
      context->run();
    });
    CHECK(text.empty());
    CHECK(watching.count(msgbus::testing::seen::abandoned) == 3);
  }
  SECTION("a drain reports them instead") {
    const std::string text = stderr_of([&] {
      CHECK(clock.run(*context, events->drain(std::chrono::seconds(1))).abandoned == 3);
      events.reset();
      context->run();
    });
    CHECK(text.empty());
  }
  SECTION("nothing is left") {
    const std::string text = stderr_of([&] {
      clock.run_for(*context, std::chrono::hours(4));
      events.reset();
      context.reset();
    });
    CHECK(text.empty());
  }
}

TEST_CASE("with an observer, failures of sent messages go there and not to stderr", "[A8]") {
  stepping_context context;
  consumer events(context.get_executor());
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  events.handler([](int) { throw std::runtime_error("one"); });
  events.handler([](int) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("two");
  });
  events.handler([](int) -> awaitable<void> { co_await hop(); });
  const std::string text = stderr_of([&] {
    (void)events.post(5);
    context.run();
  });
  CHECK(text.empty());
  CHECK(observer->steps ==
        steps{"accepted int", "failed int: one", "failed int: two", "delivered int"});
}

TEST_CASE("other exceptions of a cancelled handler are printed on stderr too", "[A8][A10]") {
  stepping_context context;
  msgbus::testing::manual_clock clock(context);
  consumer events(context.get_executor());
  events.handler([](const std::string& why) -> awaitable<void> {
    std::exception_ptr aborted;
    try {
      co_await msgbus::exec::sleep(std::chrono::hours(1));
    } catch (const std::exception&) {
      aborted = std::current_exception();
    }
    if (!why.empty()) throw std::runtime_error(why);
    std::rethrow_exception(aborted);
  });
  const auto text_of_drain = [&](const char* why) {
    (void)events.post(std::string(why));
    context.run();
    return stderr_of([&] {
      CHECK(clock.run(context, events.drain(std::chrono::seconds(0))) ==
            msgbus::drain_report{.abandoned = 1});
    });
  };
  SECTION("the rollback failed") {
    CHECK_THAT(text_of_drain("no rollback"),
               contains("failed, and no observer is attached: no rollback"));
  }
  SECTION("it did as it was told") { CHECK(text_of_drain("").empty()); }
}

TEST_CASE("an async consumer reports the same of an awaited verb", "[D2][D3]") {
  stepping_context context;
  consumer events(context.get_executor());
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  events.handler([](int) -> awaitable<void> { co_await hop(); });
  events.handler([](msgbus::any_event) {});
  events.handler([](int) { throw std::runtime_error("no"); });
  CHECK_THROWS(context.run(events.consume(5)));
  (void)context.run(events.consume(std::string()));
  CHECK(observer->steps.size() == 6);
  CHECK(observer->steps[0] == "accepted int");
  CHECK(observer->steps[1] == "delivered int");
  CHECK(observer->steps[2] == "failed int: no");
  CHECK(observer->steps[3] == "delivered int");
}

TEST_CASE("a service reports each operation by its name", "[D3]") {
  stepping_context context;
  service commands(context.get_executor());
  const auto observer = std::make_shared<recorder>();
  commands.observe(observer);
  auto update = commands.handler("update", [](int value) -> awaitable<int> {
    co_await hop();
    if (value > 1) throw std::runtime_error("no");
    co_return value;
  });
  (void)context.run(update(1));
  CHECK_THROWS(context.run(commands.execute("update", 2)));
  CHECK_THROWS(context.run(commands.execute("updat")));
  CHECK(observer->steps == steps{"accepted update", "delivered update", "accepted update",
                                 "failed update: no", "unrouted updat"});
}

TEST_CASE("producers and publishers report messages without a handler", "[D3]") {
  stepping_context context;
  producer source;
  publisher news;
  const auto observer = std::make_shared<recorder>();
  source.observe(observer);
  news.observe(observer);
  (void)context.run(source.dispatch(5));
  (void)source.post(5);
  (void)context.run(news.publish(5, "a"));
  (void)context.run(news.send(5, "a"));
  CHECK(observer->steps ==
        steps{"unrouted int", "unrouted int", "unrouted int on a", "unrouted int on a"});
}

TEST_CASE("failures of clean-ups that await are reported one by one", "[I3][A8]") {
  static constexpr auto failing = [](msgbus::async::yield<int> yield) -> awaitable<void> {
    try {
      co_await yield(1);
    } catch (...) {
    }
    co_await hop();
    throw std::runtime_error("clean-up");
  };
  stepping_context context;
  consumer events(context.get_executor());
  const auto observer = std::make_shared<recorder>();
  events.observe(observer);
  events.handler([](int value, msgbus::depends<failing>) -> awaitable<void> {
    co_await hop();
    if (value == 1) throw std::runtime_error("handler");
  });
  (void)events.post(1);
  (void)events.post(2);
  context.run();
  CHECK(observer->steps == steps{"accepted int", "failed int: handler", "failed int: clean-up",
                                 "accepted int", "failed int: clean-up"});
  CHECK(events.stats().failed == 2);
}

TEST_CASE("an observer that is replaced while a handler is suspended is let go", "[D6]") {
  stepping_context context;
  consumer events(context.get_executor());
  auto first = std::make_shared<recorder>();
  const std::weak_ptr<recorder> watch = first;
  const auto second = std::make_shared<recorder>();
  events.observe(std::move(first));
  events.handler([](int) -> awaitable<void> { co_await hop(5); });
  (void)events.post(1);
  context.step();
  context.step();
  events.observe(second);
  CHECK(watch.expired());
  context.run();
  CHECK(second->steps.back() == "delivered int");
}

}  // namespace observing_test
