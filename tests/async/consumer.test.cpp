#include <msgbus/async/consumer.hpp>

#include <msgbus/any_event.hpp>
#include <msgbus/one_of.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace consumer_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::counted;
using msgbus_test::hop;

namespace {

struct placed {
  int id;
};
struct paid {
  int id;
};
struct parcel {
  std::unique_ptr<int> inside;
};

awaitable<void> free_handler(const placed& event) {
  co_await hop();
  if (event.id < 0) throw std::invalid_argument("negative");
}

}  // namespace

TEST_CASE("an async consumer runs plain and coroutine handlers in the order of registration",
          "[D1]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::string ran;
  events.handler([&](const placed&) { ran += "a"; });
  events.handler([&](const placed&) -> awaitable<void> {
    ran += "b";
    co_await hop(3);
    ran += "B";
  });
  events.handler([&](const placed&) { ran += "c"; });
  events.handler([&](const placed&) -> awaitable<int> {
    co_await hop();
    ran += "d";
    co_return 5;
  });
  events.handler([&](placed) -> awaitable<void> {
    ran += "e";
    co_return;
  });
  CHECK(context.run(events.consume(placed{1})) == 5);
  CHECK(ran == "abBcde");
  CHECK(context.run(events.send(placed{1})).admitted == 1);
  context.run();
  CHECK(ran == "abBcdeabBcde");
  CHECK(events.post(placed{1}).admitted == 1);
  context.run();
  CHECK(ran == "abBcdeabBcdeabBcde");
}

TEST_CASE("an awaited event with plain handlers is handled without a suspension", "[A2]") {
  stepping_context context;
  consumer events(context.get_executor());
  bool done = false;
  events.handler([&](const placed&) {});
  auto work = [&]() -> awaitable<void> {
    co_await events.consume<placed>(1);
    done = true;
  };
  auto running = context.spawn(work());
  while (!done && context.step()) CHECK(events.waiting() == 0);
  CHECK(done);
  context.run();
  running.get();
}

TEST_CASE("every async handler runs, before and after the first suspension, whatever others throw",
          "[D2]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::string ran;
  events.handler([&](const placed&) {
    ran += "1";
    throw std::runtime_error("one");
  });
  events.handler([&](const placed&) -> awaitable<void> {
    ran += "2";
    throw std::runtime_error("two");
    co_return;
  });
  events.handler([&](const placed&) -> awaitable<void> {
    co_await hop();
    ran += "3";
    throw std::runtime_error("three");
  });
  events.handler([&](const placed&) { ran += "4"; });
  events.handler([&](const placed&) {
    ran += "5";
    throw 5;
  });
  events.handler([&](const placed&) -> awaitable<void> {
    co_await hop();
    ran += "6";
  });
  const auto failed =
      msgbus_test::caught<msgbus::dispatch_error>([&] { context.run(events.consume(placed{1})); });
  CHECK(ran == "123456");
  REQUIRE(failed.errors().size() == 4);
  CHECK(msgbus::describe(failed.errors()[0]) == "one");
  CHECK(msgbus::describe(failed.errors()[1]) == "two");
  CHECK(msgbus::describe(failed.errors()[2]) == "three");
  CHECK_THROWS_AS(std::rethrow_exception(failed.errors()[3]), int);
  CHECK(events.stats().failed == 1);
}

TEST_CASE("one failure of an async handler leaves as it was thrown", "[D2]") {
  stepping_context context;
  consumer events(context.get_executor());
  events.handler([](const placed&) {});
  events.handler(&free_handler);
  events.handler([](const placed&) -> awaitable<void> { co_await hop(); });
  CHECK_THROWS_AS(context.run(events.consume(placed{-1})), std::invalid_argument);
  CHECK(context.run(events.consume(placed{1})) == 3);
}

TEST_CASE("a throw before the first suspension is one failure and not the end", "[D2]") {
  stepping_context context;
  consumer events(context.get_executor());
  int after = 0;
  // Not a coroutine: it throws while it makes the awaitable.
  events.handler([](const placed& event) -> awaitable<void> {
    if (event.id < 0) throw std::out_of_range("no awaitable");
    return hop();
  });
  events.handler([&](const placed&) { ++after; });
  CHECK_THROWS_AS(context.run(events.consume(placed{-1})), std::out_of_range);
  CHECK(after == 1);
}

TEST_CASE("an async verb says how many handlers ran, and none is no error", "[D3]") {
  stepping_context context;
  consumer events(context.get_executor());
  CHECK(context.run(events.consume(placed{1})) == 0);
  CHECK(events.unrouted() == 1);
  events.handler([](const paid&) {});
  CHECK(context.run(events.consume(placed{1})) == 0);
  CHECK(context.run(events.send(placed{1})).admitted == 1);
  context.run();
  CHECK(events.stats().unrouted == 3);
  CHECK(events.stats().handled == 3);
}

TEST_CASE("async handlers of several types, of every type and of one_of", "[T1][T2][T4]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::string ran;
  events.handler([&](msgbus::any_event event) -> awaitable<void> {
    co_await hop();
    ran += event.get_if<placed>() ? "any-placed " : "any-other ";
  });
  events.handler<placed, paid>([&](const auto& event) -> awaitable<void> {
    const int id = event.id;
    co_await hop();
    ran += "both" + std::to_string(id) + " ";
  });
  events.handler([&](msgbus::one_of<placed, paid> event) -> awaitable<void> {
    co_await hop();
    ran += event.get_if<paid>() ? "one-paid " : "one-placed ";
  });
  events.handler([&](const msgbus::one_of<placed, paid>& event) -> awaitable<void> {
    co_await hop();
    ran += event.get_if<paid>() ? "ref-paid " : "ref-placed ";
  });
  CHECK(context.run(events.consume(paid{2})) == 4);
  CHECK(ran == "both2 one-paid ref-paid any-other ");
  ran.clear();
  CHECK(context.run(events.consume(placed{3})) == 4);
  CHECK(ran == "both3 one-placed ref-placed any-placed ");
  ran.clear();
  CHECK(context.run(events.consume(std::string("x"))) == 1);
  CHECK(ran == "any-other ");
}

TEST_CASE("an async verb routes a variant by its alternative", "[T3]") {
  stepping_context context;
  consumer events(context.get_executor());
  using either = std::variant<placed, paid>;
  std::vector<int> ids;
  events.handler([&](const paid& event) -> awaitable<void> {
    co_await hop();
    ids.push_back(event.id);
  });
  CHECK(context.run(events.consume(either(paid{4}))) == 1);
  CHECK(context.run(events.consume(either(placed{5}))) == 0);
  (void)context.run(events.send(either(paid{6})));
  (void)events.post(either(paid{7}));
  context.run();
  CHECK(ids == std::vector{4, 6, 7});
}

TEST_CASE("a move-only event goes through every verb of an async consumer", "[D9]") {
  stepping_context context;
  consumer events(context.get_executor());
  std::vector<int> seen;
  events.handler([&](const parcel& event) -> awaitable<void> {
    co_await hop();
    seen.push_back(*event.inside);
  });
  events.handler([&](const parcel& event) { seen.push_back(-*event.inside); });
  CHECK(context.run(events.consume(parcel{std::make_unique<int>(1)})) == 2);
  CHECK(context.run(events.consume<parcel>(std::make_unique<int>(2))) == 2);
  (void)context.run(events.send(parcel{std::make_unique<int>(3)}));
  (void)events.post<parcel>(std::make_unique<int>(4));
  context.run();
  CHECK(seen == std::vector{1, -1, 2, -2, 3, -3, 4, -4});
}

TEST_CASE("no verb of an async consumer copies the event", "[D9]") {
  struct tag;
  using event = counted<tag>;
  stepping_context context;
  consumer events(context.get_executor());
  int sum = 0;
  events.handler([&](const event& e) { sum += e.value; });
  events.handler([&](const event& e) -> awaitable<void> {
    co_await hop();
    sum += e.value;
  });
  events.handler([&](const event& e) { sum += e.value; }, {.retry = {.attempts = 2}});
  event::reset();
  CHECK(context.run(events.consume<event>(1)) == 3);
  (void)context.run(events.send<event>(1));
  (void)events.post<event>(1);
  context.run();
  CHECK(sum == 9);
  CHECK(event::copies == 0);
}

TEST_CASE("a member function may be an async handler, and so may a pointer's", "[D1]") {
  struct projection {
    awaitable<void> on_placed(const placed& event) {
      co_await hop();
      sum += event.id;
    }
    void on_paid(const paid& event) { sum += 10 * event.id; }
    int sum = 0;
  };
  stepping_context context;
  consumer events(context.get_executor());
  projection here;
  auto there = std::make_shared<projection>();
  events.handler(&projection::on_placed, here);
  events.handler(&projection::on_paid, here, {.timeout = std::chrono::seconds(1)});
  events.handler(&projection::on_placed, there);
  CHECK(context.run(events.consume(placed{1})) == 2);
  CHECK(context.run(events.consume(paid{1})) == 1);
  CHECK(here.sum == 11);
  CHECK(there->sum == 1);
}

TEST_CASE("an async handler may consume on its own component", "[D5]") {
  stepping_context context;
  consumer events(context.get_executor(), {.capacity = 1});
  std::string ran;
  events.handler([&](const placed& event) -> awaitable<void> {
    ran += "p";
    co_await hop();
    if (event.id > 0) co_await events.consume<placed>(event.id - 1);
    co_await events.consume<paid>(event.id);
  });
  events.handler([&](const paid& event) { ran += std::to_string(event.id); });
  CHECK(context.run(events.consume(placed{2})) == 1);
  CHECK(ran == "ppp012");
  ran.clear();
  CHECK(events.post(placed{1}).admitted == 1);
  context.run();
  CHECK(ran == "pp01");
}

}  // namespace consumer_test
