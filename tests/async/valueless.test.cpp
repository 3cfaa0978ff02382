// Variants that hold nothing, after an assignment to them has thrown.

#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

namespace valueless_test {

using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::subscriber;
using msgbus::testing::stepping_context;

namespace {

struct refuses {
  refuses() = default;
  refuses(const refuses&) { throw std::runtime_error("no copy"); }
  refuses& operator=(const refuses&) = default;
};

using event = std::variant<int, refuses>;
using nested = std::variant<char, event>;

event valueless() {
  event made = 1;
  const refuses one;
  try {
    made.emplace<refuses>(one);
  } catch (const std::runtime_error&) {
  }
  REQUIRE(made.valueless_by_exception());
  return made;
}

/// Each verb of the pair refuses it, and the component has taken nothing.
template <class Post, class Send, class Component>
void check_refused(stepping_context& context, Component& component, Post post, Send send) {
  CHECK_THROWS_AS((void)post(valueless()), std::bad_variant_access);
  CHECK_THROWS_AS((void)post(nested(valueless())), std::bad_variant_access);
  CHECK_THROWS_AS(context.run(send(valueless())), std::bad_variant_access);
  CHECK_THROWS_AS(context.run(send(nested(valueless()))), std::bad_variant_access);
  CHECK(component.stats().offered == 0);
  (void)post(event(5));
  context.run();
  CHECK(component.stats().handled == 1);
}

}  // namespace

TEST_CASE("a consumer refuses a variant that holds nothing, whatever the verb", "[T3]") {
  stepping_context context;
  consumer events(context.get_executor());
  events.handler([](int) {});
  CHECK_THROWS_AS(context.run(events.consume(valueless())), std::bad_variant_access);
  check_refused(
      context, events, [&](auto one) { return events.post(std::move(one)); },
      [&](auto one) { return events.send(std::move(one)); });
}

TEST_CASE("a producer refuses a variant that holds nothing, whatever the verb", "[T3]") {
  stepping_context context;
  consumer events(context.get_executor());
  producer source;
  source.bind(events);
  events.handler([](int) {});
  CHECK_THROWS_AS(context.run(source.dispatch(valueless())), std::bad_variant_access);
  check_refused(
      context, events, [&](auto one) { return source.post(std::move(one)); },
      [&](auto one) { return source.send(std::move(one)); });
}

TEST_CASE("a subscriber refuses a variant that holds nothing, whatever the verb", "[T3]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  messages.subscribe("a", [](int) {});
  CHECK_THROWS_AS(context.run(messages.receive(valueless(), "a")), std::bad_variant_access);
  check_refused(
      context, messages, [&](auto one) { return messages.post(std::move(one), "a"); },
      [&](auto one) { return messages.send(std::move(one), "a"); });
}

TEST_CASE("a publisher refuses a variant that holds nothing, whatever the verb", "[T3]") {
  stepping_context context;
  subscriber messages(context.get_executor());
  publisher source;
  source.bind(messages);
  messages.subscribe("a", [](int) {});
  CHECK_THROWS_AS(context.run(source.publish(valueless(), "a")), std::bad_variant_access);
  check_refused(
      context, messages, [&](auto one) { return source.post(std::move(one), "a"); },
      [&](auto one) { return source.send(std::move(one), "a"); });
}

}  // namespace valueless_test
