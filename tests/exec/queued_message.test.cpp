#include <msgbus/detail/exec/queued_message.hpp>

#include "support/catch.hpp"
#include "support/counted.hpp"

#include <string>
#include <variant>

namespace queued_message_test {

using msgbus::detail::key_of;
using msgbus::exec::queued_event;
using msgbus::exec::queued_reference;
using msgbus::exec::queued_topic_message;
using msgbus::exec::shared_message;

namespace {

template <class T>
const T& as(msgbus::detail::value_ref value) {
  REQUIRE(value.type == key_of<T>);
  return *static_cast<const T*>(value.data);
}

}  // namespace

TEST_CASE("a queued message has its type, and a topic if it was published") {
  const queued_event<std::string> event("paid");
  CHECK(as<std::string>(event.message()) == "paid");
  CHECK(event.topic().empty());
  const queued_topic_message<int> message(7, "orders.paid");
  CHECK(as<int>(message.message()) == 7);
  CHECK(message.topic() == "orders.paid");
}

TEST_CASE("of a variant its active alternative is carried", "[T3]") {
  const queued_event<std::variant<int, std::string>> event(std::string("text"));
  CHECK(as<std::string>(event.message()) == "text");
}

TEST_CASE("sharing moves the message to where all can see it, and copies nothing", "[D9]") {
  struct tag;
  using value = msgbus_test::counted<tag>;
  value::reset();
  queued_event<value> event(value(5));
  const shared_message shared = event.share();
  CHECK(as<value>(shared->message()).value == 5);
  CHECK(value::copies == 0);
  CHECK(value::moves <= 2);
}

TEST_CASE("a reference is the message that it refers to, and shares it as it is") {
  const shared_message all = std::make_shared<queued_topic_message<int>>(3, "a.b");
  shared_message copy = all;
  queued_reference reference(std::move(copy));
  CHECK(as<int>(reference.message()) == 3);
  CHECK(reference.topic() == "a.b");
  CHECK(reference.share() == all);
}

}  // namespace queued_message_test
