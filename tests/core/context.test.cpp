#include <msgbus/core/context.hpp>

#include "support/catch.hpp"

TEST_CASE("a context of which nothing is known is empty, and its attempt is the first") {
  const msgbus::context& context = msgbus::no_context;
  CHECK(context.topic().empty());
  CHECK(context.message_id().empty());
  CHECK(context.attempt() == 1);
  CHECK(context.headers().empty());
}

TEST_CASE("a context of a topic knows the topic and nothing else") {
  const msgbus::context context("orders.placed");
  CHECK(context.topic() == "orders.placed");
  CHECK(context.message_id().empty());
  CHECK(context.attempt() == 1);
  CHECK(context.headers().empty());
}

TEST_CASE("a context tells all that it was given") {
  const msgbus::headers headers{{"trace", "t-1"}, {"tenant", "acme"}};
  const msgbus::context context("orders.placed", "m-7", 3, &headers);
  CHECK(context.topic() == "orders.placed");
  CHECK(context.message_id() == "m-7");
  CHECK(context.attempt() == 3);
  CHECK(&context.headers() == &headers);
}

TEST_CASE("headers are looked up without making a string") {
  const msgbus::headers headers{{"trace", "t-1"}};
  const msgbus::context context("a", "", 1, &headers);
  const auto found = context.headers().find(std::string_view("trace"));
  REQUIRE(found != context.headers().end());
  CHECK(found->second == "t-1");
  CHECK(context.headers().find(std::string_view("other")) == context.headers().end());
}
