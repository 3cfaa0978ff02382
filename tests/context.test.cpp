#include <msgbus/context.hpp>

#include "support/catch.hpp"

#include <sstream>

namespace context_test {

TEST_CASE("a default context is empty, and its attempt is the first") {
  const msgbus::context& context = msgbus::detail::no_context;
  CHECK(context.topic().empty());
  CHECK(context.message_id().empty());
  CHECK(context.attempt() == 1);
  CHECK(context.headers().empty());
}

TEST_CASE("a context of a topic has the topic and nothing else") {
  const msgbus::context context("orders.placed");
  CHECK(context.topic() == "orders.placed");
  CHECK(context.message_id().empty());
  CHECK(context.attempt() == 1);
  CHECK(context.headers().empty());
}

TEST_CASE("a context has all metadata of the message") {
  const msgbus::origin origin{.message_id = "m-7",
                              .correlation_id = "m-1",
                              .causation_id = "m-3",
                              .headers = {{"trace", "t-1"}, {"tenant", "acme"}}};
  const msgbus::context context("orders.placed", origin);
  CHECK(context.topic() == "orders.placed");
  CHECK(context.message_id() == "m-7");
  CHECK(context.correlation_id() == "m-1");
  CHECK(context.causation_id() == "m-3");
  CHECK(context.attempt() == 1);
  CHECK(&context.headers() == &origin.headers);
}

TEST_CASE("the first message of a chain gives the chain its id") {
  const msgbus::origin origin{.message_id = "m-1"};
  CHECK(msgbus::context("a", origin).correlation_id() == "m-1");
  CHECK(msgbus::context("a", origin).causation_id().empty());
}

TEST_CASE("a stored message has its place in a stream, and the messages that it causes have none") {
  msgbus::origin origin{.message_id = "m-1"};
  CHECK_FALSE(msgbus::context().stored());
  CHECK_FALSE(msgbus::context("a", origin).stored());
  origin.stream = std::make_shared<const std::string>("ORDERS");
  origin.sequence = 7;
  const auto place = msgbus::context("a", origin).on("b").stored();
  REQUIRE(place);
  CHECK(place->stream == "ORDERS");
  CHECK(place->sequence == 7);
  CHECK_FALSE(msgbus::context::caused_by(&origin).stored());
}

TEST_CASE("attempts are counted over redeliveries and repetitions") {
  const msgbus::origin origin{.message_id = "m-7", .deliveries = 3};
  const msgbus::context context("a", origin);
  CHECK(context.attempt() == 3);
  CHECK(context.repeated(2).attempt() == 5);
  CHECK(context.on("b").attempt() == 3);
  CHECK(context.on("b").topic() == "b");
}

TEST_CASE(
    "a message that was made while another was handled names it as its cause, and has no id") {
  const msgbus::origin origin{.message_id = "m-7",
                              .correlation_id = "m-1",
                              .causation_id = "m-3",
                              .deliveries = 4,
                              .headers = {{"tenant", "acme"}}};
  const msgbus::context context = msgbus::context::caused_by(&origin, "a");
  CHECK(context.topic() == "a");
  CHECK(context.message_id().empty());
  CHECK(context.correlation_id() == "m-1");
  CHECK(context.causation_id() == "m-7");
  CHECK(context.attempt() == 1);
  CHECK(context.headers().empty());
}

TEST_CASE("a message without a cause has no chain") {
  const msgbus::context context = msgbus::context::caused_by(nullptr, "a");
  CHECK(context.correlation_id().empty());
  CHECK(context.causation_id().empty());
  CHECK(context.from() == nullptr);
}

TEST_CASE("headers are looked up without making a string") {
  const msgbus::origin origin{.message_id = "m", .headers = {{"trace", "t-1"}}};
  const msgbus::context context("a", origin);
  const auto found = context.headers().find(std::string_view("trace"));
  REQUIRE(found != context.headers().end());
  CHECK(found->second == "t-1");
  CHECK(context.headers().find(std::string_view("other")) == context.headers().end());
}

TEST_CASE("a stream_position is printed with its members") {
  std::ostringstream out;
  out << msgbus::stream_position{.stream = "orders", .sequence = 7};
  CHECK(out.str() == R"(stream_position{.stream = "orders", .sequence = 7})");
}

TEST_CASE("a context and an origin are printed with their ids") {
  const msgbus::origin from{.message_id = "m-2",
                            .correlation_id = "m-1",
                            .stream = std::make_shared<const std::string>("ORDERS"),
                            .sequence = 7};
  CHECK(Catch::Detail::stringify(from) ==
        R"(origin{.message_id = "m-2", .correlation_id = "m-1", .causation_id = "", )"
        R"(.deliveries = 1, .stream = "ORDERS", .sequence = 7})");
  CHECK(Catch::Detail::stringify(msgbus::context("orders.placed", from)) ==
        R"(context{.topic = "orders.placed", .message_id = "m-2", .correlation_id = "m-1", )"
        R"(.causation_id = "", .attempt = 1})");
}

}  // namespace context_test
