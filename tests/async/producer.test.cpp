#include <msgbus/async/producer.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>

namespace producer_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::testing::stepping_context;
using msgbus_test::counted;
using msgbus_test::gate;
using msgbus_test::hop;
using msgbus_test::is_aborted;

namespace {

struct placed {
  int id;
};

}  // namespace

TEST_CASE("a dispatch runs the consumers at the same time, and each one's handlers in order",
          "[A3][D1]") {
  stepping_context context;
  consumer first(context.get_executor()), second(context.get_executor());
  producer source;
  source.bind(first, second);
  std::string ran;
  for (auto* each : {&first, &second}) {
    const char name = each == &first ? 'a' : 'A';
    each->handler([&ran, name](const placed&) -> awaitable<void> {
      ran += name;
      co_await hop(2);
      ran += static_cast<char>(name + 1);
    });
    each->handler([&ran, name](const placed&) { ran += static_cast<char>(name + 2); });
  }
  CHECK(context.run(source.dispatch(placed{1})) == 4);
  // Both have begun before either goes on.
  CHECK(ran.substr(0, 2) == "aA");
  CHECK(ran.find('b') < ran.find('c'));
  CHECK(ran.find('B') < ran.find('C'));
}

TEST_CASE("a dispatch ends when every handler of every consumer has ended", "[A1]") {
  stepping_context context;
  consumer first(context.get_executor()), second(context.get_executor());
  producer source;
  source.bind(first, second);
  gate open;
  bool slow_ended = false;
  first.handler([&](const placed&) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("early");
  });
  second.handler([&](const placed&) -> awaitable<void> {
    co_await open.wait();
    slow_ended = true;
  });
  auto running = context.spawn(source.dispatch(placed{1}));
  context.run();
  CHECK_FALSE(running.done());
  open.open();
  context.run();
  CHECK(slow_ended);
  CHECK_THROWS_AS(running.get(), std::runtime_error);
}

TEST_CASE("a dispatch's failures come together, in the order of binding", "[D2]") {
  stepping_context context;
  consumer first(context.get_executor()), second(context.get_executor()),
      third(context.get_executor());
  producer source;
  source.bind(first, second, third);
  first.handler([](const placed&) -> awaitable<void> {
    co_await hop(5);
    throw std::runtime_error("one");
  });
  second.handler([](const placed&) { throw std::runtime_error("two"); });
  third.handler([](const placed&) -> awaitable<void> {
    co_await hop();
    throw std::runtime_error("three");
  });
  const auto failed =
      msgbus_test::caught<msgbus::dispatch_error>([&] { context.run(source.dispatch(placed{1})); });
  REQUIRE(failed.errors().size() == 3);
  CHECK(msgbus::describe(failed.errors()[0]) == "one");
  CHECK(msgbus::describe(failed.errors()[1]) == "two");
  CHECK(msgbus::describe(failed.errors()[2]) == "three");
}

TEST_CASE("a cancelled dispatch cancels every handler and waits for all of them", "[A1][A9]") {
  for (const int slow : {0, 1, 2}) {
    stepping_context context;
    consumer all[] = {consumer(context.get_executor()), consumer(context.get_executor()),
                      consumer(context.get_executor())};
    producer source;
    source.bind(all[0], all[1], all[2]);
    int running = 0, aborted = 0, second = 0;
    gate never;
    for (int i = 0; i < 3; ++i) {
      all[i].handler([&, i](const placed&) -> awaitable<void> {
        ++running;
        std::exception_ptr failure;
        try {
          co_await never.wait();
        } catch (...) {
          failure = std::current_exception();
        }
        aborted += is_aborted(failure) ? 1 : 0;
        co_await asio::this_coro::throw_if_cancelled(false);
        if (i == slow) co_await hop(20);
        --running;
        if (failure) std::rethrow_exception(failure);
      });
      all[i].handler([&](const placed&) { ++second; });
    }
    auto dispatched = context.spawn(source.dispatch(placed{1}));
    context.run();
    CHECK(running == 3);
    dispatched.cancel();
    // All are told, also while one of them takes its time.
    CHECK(context.run_until([&] { return aborted == 3; }));
    CHECK(running >= 1);
    CHECK(context.run_until([&] { return dispatched.done(); }));
    CHECK(running == 0);
    CHECK(second == 0);
    CHECK(dispatched.failure());
    context.run();
    for (const consumer& each : all) CHECK(each.stats().abandoned == 1);
  }
}

TEST_CASE("a producer shares one event among mailboxes", "[D9]") {
  struct tag;
  using event = counted<tag>;
  stepping_context context;
  consumer first(context.get_executor()), second(context.get_executor(), {.capacity = 3});
  producer source;
  source.bind(first, second);
  int sum = 0;
  for (auto* each : {&first, &second}) {
    each->handler([&](const event& e) -> awaitable<void> {
      co_await hop();
      sum += e.value;
    });
    each->handler([&](const event& e) { sum += e.value; });
  }
  event::reset();
  CHECK(context.run(source.dispatch<event>(1)) == 4);
  CHECK(context.run(source.send<event>(1)) == msgbus::receipt{.admitted = 2});
  CHECK(source.post<event>(1) == msgbus::receipt{.admitted = 2});
  context.run();
  CHECK(sum == 12);
  CHECK(event::copies == 0);
}

TEST_CASE("a producer's mailboxes answer each for itself", "[A6]") {
  stepping_context context;
  consumer full(context.get_executor(), {.capacity = 1, .on_full = msgbus::overflow::reject});
  consumer dropping(context.get_executor(),
                    {.capacity = 1, .on_full = msgbus::overflow::drop_newest});
  consumer roomy(context.get_executor());
  consumer closed(context.get_executor());
  closed.close();
  producer source;
  source.bind(full, dropping, roomy, closed);
  CHECK(source.post(placed{1}) == msgbus::receipt{.admitted = 3, .rejected = 1});
  CHECK(source.post(placed{2}) == msgbus::receipt{.admitted = 1, .dropped = 1, .rejected = 2});
  context.run();
  CHECK(context.run(source.send(placed{3})) == msgbus::receipt{.admitted = 3, .rejected = 1});
  context.run();
}

TEST_CASE("a send to several full mailboxes waits for all at the same time", "[A6]") {
  stepping_context context;
  gate open_first, open_second;
  consumer first(context.get_executor(), {.capacity = 1});
  consumer second(context.get_executor(), {.capacity = 1});
  producer source;
  source.bind(first, second);
  first.handler([&](const placed&) { return open_first.wait(); });
  second.handler([&](const placed&) { return open_second.wait(); });
  (void)source.post(placed{1});
  context.run();
  (void)source.post(placed{2});
  context.run();
  auto sent = context.spawn(source.send(placed{3}));
  context.run();
  CHECK_FALSE(sent.done());
  open_second.open();
  context.run();
  CHECK(second.stats().handled == 3);  // though the first one is still full
  CHECK_FALSE(sent.done());
  open_first.open();
  context.run();
  CHECK(sent.get() == msgbus::receipt{.admitted = 2});
}

TEST_CASE("an event without a consumer, or without a handler, is counted as unrouted", "[D3]") {
  stepping_context context;
  producer source;
  CHECK(context.run(source.dispatch(placed{1})) == 0);
  CHECK(source.post(placed{1}) == msgbus::receipt{});
  CHECK(context.run(source.send(placed{1})) == msgbus::receipt{});
  CHECK(source.unrouted() == 3);
  consumer events(context.get_executor());
  source.bind(events);
  CHECK(context.run(source.dispatch(placed{1})) == 0);
  CHECK(source.unrouted() == 4);
  CHECK(events.unrouted() == 1);
}

TEST_CASE("binding twice is once, and an unbound or destroyed consumer gets nothing", "[D8]") {
  stepping_context context;
  auto source = std::make_unique<producer>();
  auto events = std::make_unique<consumer>(context.get_executor());
  int ran = 0;
  events->handler([&](const placed&) -> awaitable<void> {
    co_await hop();
    ++ran;
  });
  source->bind(*events, *events);
  CHECK(context.run(source->dispatch(placed{1})) == 1);
  source->unbind(*events);
  CHECK(context.run(source->dispatch(placed{1})) == 0);
  source->bind(*events);
  events.reset();
  CHECK(context.run(source->dispatch(placed{1})) == 0);
  CHECK(source->post(placed{1}) == msgbus::receipt{});
  events = std::make_unique<consumer>(context.get_executor());
  source->bind(*events);
  source.reset();
  CHECK(context.run(events->consume(placed{1})) == 0);
  CHECK(ran == 1);
}

TEST_CASE("a producer may go while its dispatch is under way", "[D8]") {
  stepping_context context;
  auto source = std::make_unique<producer>();
  auto events = std::make_unique<consumer>(context.get_executor());
  source->bind(*events);
  gate open;
  bool ended = false;
  events->handler([&](const placed&) -> awaitable<void> {
    co_await open.wait();
    ended = true;
  });
  auto running = context.spawn(source->dispatch(placed{1}));
  context.run();
  source.reset();
  events.reset();
  open.open();
  context.run();
  CHECK(ended);
  CHECK(running.get() == 1);
}

}  // namespace producer_test
