#include <msgbus/async/publisher.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <vector>

namespace publisher_test {

using asio::awaitable;
using msgbus::async::publisher;
using msgbus::async::subscriber;
using msgbus::testing::stepping_context;
using msgbus_test::code_of;
using msgbus_test::contains;
using msgbus_test::counted;
using msgbus_test::hop;
using msgbus_test::text_of;

namespace {

struct order {
  int id;
};
inline constexpr msgbus::topic<order> order_placed{"orders.placed"};

}  // namespace

TEST_CASE("a publish runs the subscribers at the same time, and each one's handlers in order",
          "[A3][D1]") {
  stepping_context context;
  subscriber first(context.get_executor()), second(context.get_executor());
  publisher source;
  source.bind(first, second);
  std::string ran;
  first.subscribe("a.*", [&](int) -> awaitable<void> {
    ran += "a";
    co_await hop(2);
    ran += "b";
  });
  first.subscribe("a.b", [&](int) { ran += "c"; });
  second.subscribe(">", [&](int) -> awaitable<void> {
    ran += "A";
    co_await hop(2);
    ran += "B";
  });
  CHECK(context.run(source.publish(1, "a.b")) == 3);
  CHECK(ran.substr(0, 2) == "aA");
  CHECK(ran.find('b') < ran.find('c'));
}

TEST_CASE("a mismatch is one only if no subscriber takes the type", "[T6]") {
  stepping_context context;
  subscriber strings(context.get_executor()), numbers(context.get_executor());
  publisher source;
  source.bind(strings, numbers);
  strings.subscribe("a", [](const std::string&) -> awaitable<void> { co_return; });
  CHECK(code_of([&] { context.run(source.publish(5, "a")); }) == msgbus::errc::type_mismatch);
  CHECK_THAT(text_of([&] { context.run(source.publish(5, "a")); }), contains("string"));
  numbers.subscribe("a", [](int) -> awaitable<void> { co_await hop(); });
  CHECK(context.run(source.publish(5, "a")) == 1);
  CHECK(context.run(source.publish(5, "elsewhere")) == 0);
  CHECK(source.unrouted() == 3);
}

TEST_CASE("an invalid topic is thrown by the call, bound or not", "[T7]") {
  publisher source;
  CHECK(code_of([&] { (void)source.publish(1, "a.*"); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)source.send(1, ""); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)source.post(1, "a..b"); }) == msgbus::errc::invalid_topic);
}

TEST_CASE("a publisher shares one message among mailboxes, with its topic", "[D9]") {
  struct tag;
  using message = counted<tag>;
  stepping_context context;
  subscriber first(context.get_executor()), second(context.get_executor(), {.capacity = 3});
  publisher source;
  source.bind(first, second);
  std::vector<std::string> topics;
  for (auto* each : {&first, &second}) {
    each->subscribe("a.*", [&](const message&, const msgbus::context& known) -> awaitable<void> {
      co_await hop();
      topics.emplace_back(known.topic());
    });
    each->subscribe(
        "a.b",
        [&](const message&, const msgbus::context& known) { topics.emplace_back(known.topic()); },
        {.timeout = std::chrono::seconds(5)});
    each->subscribe(">", [&](const message&, const msgbus::context& known) {
      topics.emplace_back(known.topic());
    });
  }
  message::reset();
  CHECK(context.run(source.publish(message(1), "a.b")) == 6);
  CHECK(context.run(source.send(message(1), "a.b")) == msgbus::receipt{.admitted = 2});
  CHECK(source.post(message(1), "a.b") == msgbus::receipt{.admitted = 2});
  context.run();
  CHECK(topics == std::vector<std::string>(18, "a.b"));
  CHECK(message::copies == 0);
}

TEST_CASE("a typed topic is published by every verb", "[T6]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  publisher source;
  source.bind(messages);
  int sum = 0;
  messages.subscribe(order_placed, [&](const order& each) -> awaitable<void> {
    co_await hop();
    sum += each.id;
  });
  order one{1};
  CHECK(context.run(source.publish(one, order_placed)) == 1);
  CHECK(context.run(source.send(one, order_placed)) == msgbus::receipt{.admitted = 1});
  CHECK(source.post(one, order_placed) == msgbus::receipt{.admitted = 1});
  context.run();
  CHECK(sum == 3);
}

TEST_CASE("subscribers and publishers go in any order", "[D8]") {
  stepping_context context;
  auto source = std::make_unique<publisher>();
  auto messages = std::make_unique<subscriber>(context.get_executor());
  messages->subscribe("a", [](int) {});
  source->bind(*messages);
  messages.reset();
  CHECK(context.run(source->publish(1, "a")) == 0);
  CHECK(source->post(1, "a") == msgbus::receipt{});
  messages = std::make_unique<subscriber>(context.get_executor());
  source->bind(*messages);
  source->unbind(*messages);
  source->bind(*messages);
  source.reset();
  CHECK(context.run(messages->receive(1, "a")) == 0);
}

TEST_CASE("a publish's failures come together, in the order of binding", "[D2]") {
  stepping_context context;
  subscriber first(context.get_executor()), second(context.get_executor());
  publisher source;
  source.bind(first, second);
  first.subscribe("a", [](int) -> awaitable<void> {
    co_await hop(4);
    throw std::runtime_error("one");
  });
  second.subscribe("a", [](int) { throw std::runtime_error("two"); });
  const auto failed =
      msgbus_test::caught<msgbus::dispatch_error>([&] { context.run(source.publish(1, "a")); });
  REQUIRE(failed.errors().size() == 2);
  CHECK(msgbus::describe(failed.errors()[0]) == "one");
  CHECK(msgbus::describe(failed.errors()[1]) == "two");
}

}  // namespace publisher_test
