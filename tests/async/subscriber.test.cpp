#include <msgbus/async/subscriber.hpp>

#include <msgbus/context.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/thrown.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace subscriber_test {

using asio::awaitable;
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

TEST_CASE("an async subscriber runs the handlers of a topic in the order of registration", "[D1]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  std::string ran;
  messages.subscribe("a.*", [&](int) -> awaitable<void> {
    ran += "1";
    co_await hop(2);
    ran += "!";
  });
  messages.subscribe("a.b", [&](int) { ran += "2"; });
  messages.subscribe("a.>", [&](int) -> awaitable<void> {
    co_await hop();
    ran += "3";
  });
  messages.subscribe("b", [&](int) { ran += "no"; });
  messages.subscribe(">", [&](int) { ran += "4"; });
  CHECK(context.run(messages.receive(1, "a.b")) == 4);
  CHECK(ran == "1!234");
  CHECK(context.run(messages.send(1, "a.b")).admitted == 1);
  CHECK(messages.post(1, "a.b").admitted == 1);
  context.run();
  CHECK(ran == "1!2341!2341!234");
}

TEST_CASE("a handler runs once per message, however many of its patterns match", "[T8]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  int plain = 0, awaited = 0;
  messages.subscribe({"a.b", "a.*", ">"}, [&](int) -> awaitable<void> {
    co_await hop();
    ++awaited;
  });
  messages.subscribe({"a.b", "*.b", "a.>"}, [&](int) { ++plain; });
  CHECK(context.run(messages.receive(1, "a.b")) == 2);
  CHECK(context.run(messages.receive(1, "a.c")) == 2);
  CHECK(awaited == 2);
  CHECK(plain == 2);
}

TEST_CASE("an async handler's context has the topic, across suspensions and by every verb") {
  stepping_context context;
  subscriber messages(context.get_executor());
  std::vector<std::string> topics;
  const std::string longer = "a.topic.that.is.too.long.to.be.kept.inside.a.string";
  messages.subscribe("a.>", [&](int, const msgbus::context& known) -> awaitable<void> {
    co_await hop(2);
    topics.emplace_back(known.topic());
  });
  messages.subscribe("a.>", [&](int, const msgbus::context& known) {
    topics.emplace_back(known.topic());
    CHECK(known.attempt() == 1);
  });
  for (const std::string& topic : {std::string("a.b"), longer}) {
    topics.clear();
    CHECK(context.run(messages.receive(1, topic)) == 2);
    (void)context.run(messages.send(1, topic));
    (void)messages.post(1, topic);
    context.run();
    CHECK(topics == std::vector<std::string>(6, topic));
  }
}

TEST_CASE("after a handler with a policy the topic is unchanged", "[D1][T7]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  std::vector<std::string> topics;
  auto note = [&](const std::string&, const msgbus::context& known) {
    topics.emplace_back(known.topic());
  };
  messages.subscribe("a.*", note, {.retry = {.attempts = 3}});
  messages.subscribe("a.b", note);
  messages.subscribe(">", note, {.timeout = std::chrono::seconds(5)});
  messages.subscribe(
      ">", [&](const std::string& text, const msgbus::context&) { topics.push_back(text); });
  const std::vector<std::string> wanted{"a.b", "a.b", "a.b", "text"};
  CHECK(context.run(messages.receive(std::string("text"), "a.b")) == 4);
  CHECK(topics == wanted);
  topics.clear();
  (void)context.run(messages.send(std::string("text"), "a.b"));
  context.run();
  CHECK(topics == wanted);
  topics.clear();
  (void)messages.post(std::string("text"), "a.b");
  context.run();
  CHECK(topics == wanted);
}

TEST_CASE("messages convert where nothing is lost, for plain and for coroutine handlers", "[T5]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  std::string seen;
  messages.subscribe("a", [&](std::string_view text) -> awaitable<void> {
    co_await hop();
    seen += text;
  });
  messages.subscribe("b", [&](const std::int64_t& n) -> awaitable<void> {
    co_await hop();
    seen += std::to_string(n);
  });
  messages.subscribe("b", [&](double n) { seen += n == 7 ? "=" : "?"; });
  CHECK(context.run(messages.receive(std::string("text"), "a")) == 1);
  CHECK(context.run(messages.receive(7, "b")) == 2);
  CHECK(seen == "text7=");
}

TEST_CASE("a type that nobody on the topic takes is a mismatch that names both", "[T6]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  messages.subscribe("a.*", [](const std::string&) -> awaitable<void> { co_return; });
  CHECK(code_of([&] { context.run(messages.receive(5, "a.b")); }) == msgbus::errc::type_mismatch);
  const std::string text = text_of([&] { context.run(messages.receive(5, "a.b")); });
  CHECK_THAT(text, contains("int"));
  CHECK_THAT(text, contains("string"));
  CHECK_THAT(text, contains("a.b"));
  CHECK(context.run(messages.receive(5, "b")) == 0);
  CHECK(messages.unrouted() == 3);
}

TEST_CASE("a sent message of a type that nobody takes counts as failed", "[T6][A8]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  messages.observe(std::make_shared<msgbus::observer>());
  messages.subscribe("a", [](const std::string&) {});
  (void)messages.post(5, "a");
  context.run();
  CHECK(messages.stats().failed == 1);
  CHECK(msgbus_test::is_conserved(messages.stats()));
}

TEST_CASE("an invalid topic is thrown by the call of any verb, an invalid pattern by subscribing",
          "[T7]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  for (const char* topic : {"", "a..b", "a.*", "a.>", ".a"}) {
    CHECK(code_of([&] { (void)messages.receive(1, topic); }) == msgbus::errc::invalid_topic);
    CHECK(code_of([&] { (void)messages.send(1, topic); }) == msgbus::errc::invalid_topic);
    CHECK(code_of([&] { (void)messages.post(1, topic); }) == msgbus::errc::invalid_topic);
  }
  CHECK(code_of([&] { messages.subscribe("a.>.b", [](int) {}); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([&] { (void)messages.stream_of<int>(""); }) == msgbus::errc::invalid_topic);
  CHECK(messages.stats().offered == 0);
}

TEST_CASE("a typed topic carries its type by every verb", "[T6]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  int sum = 0;
  messages.subscribe(order_placed, [&](const auto& each) -> awaitable<void> {
    co_await hop();
    sum += each.id;
  });
  order one{1};
  CHECK(context.run(messages.receive(one, order_placed)) == 1);
  (void)context.run(messages.send(one, order_placed));
  (void)messages.post(one, order_placed);
  context.run();
  CHECK(sum == 3);
}

TEST_CASE("variants, several types and every type on a topic", "[T3][T4]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  std::string seen;
  messages.subscribe("a", [&](msgbus::any_event event) -> awaitable<void> {
    co_await hop();
    seen += event.get_if<int>() ? "any-int " : "any ";
  });
  messages.subscribe<int, std::string>("a", [&](const auto& each) -> awaitable<void> {
    (void)each;
    co_await hop();
    seen += "two ";
  });
  messages.subscribe("a", [&](msgbus::one_of<int, std::string> each) {
    seen += each.get_if<int>() ? "int " : "string ";
  });
  using either = std::variant<int, std::string>;
  CHECK(context.run(messages.receive(either(5), "a")) == 3);
  CHECK(seen == "any-int two int ");
  seen.clear();
  (void)messages.post(either("x"), "a");
  context.run();
  CHECK(seen == "any two string ");
}

TEST_CASE("no verb of an async subscriber copies the message", "[D9]") {
  struct tag;
  using message = counted<tag>;
  stepping_context context;
  subscriber messages(context.get_executor());
  int sum = 0;
  messages.subscribe("a", [&](const message& m) { sum += m.value; });
  messages.subscribe("*", [&](const message& m) -> awaitable<void> {
    co_await hop();
    sum += m.value;
  });
  messages.subscribe("a", [&](const message& m) { sum += m.value; }, {.retry = {.attempts = 2}});
  message::reset();
  CHECK(context.run(messages.receive(message(1), "a")) == 3);
  (void)context.run(messages.send(message(1), "a"));
  (void)messages.post(message(1), "a");
  context.run();
  CHECK(sum == 9);
  CHECK(message::copies == 0);
}

TEST_CASE("a member function may subscribe") {
  struct mailer {
    awaitable<void> on(const order& each) {
      co_await hop();
      sum += each.id;
    }
    int sum = 0;
  };
  stepping_context context;
  subscriber messages(context.get_executor());
  mailer here;
  messages.subscribe("a", &mailer::on, here);
  messages.subscribe({"b", "c"}, &mailer::on, here);
  messages.subscribe(order_placed, &mailer::on, here);
  for (const char* topic : {"a", "b", "c", "orders.placed"}) {
    CHECK(context.run(messages.receive(order{1}, topic)) == 1);
  }
  CHECK(here.sum == 4);
}

}  // namespace subscriber_test
