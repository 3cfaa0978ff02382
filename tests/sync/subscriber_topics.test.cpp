// Valid and invalid topics and patterns.

#include <msgbus/sync/subscriber.hpp>

#include "support/catch.hpp"
#include "support/naive_topics.hpp"
#include "support/thrown.hpp"

#include <string>
#include <vector>

namespace subscriber_topics_test {

namespace {

using msgbus::errc;
using msgbus::sync::subscriber;
using msgbus_test::code_of;
using msgbus_test::text_of;

const std::vector<std::string> invalid_topics{"",
                                              ".",
                                              "a.",
                                              ".a",
                                              "a..b",
                                              "*",
                                              ">",
                                              "a.*",
                                              "*.a",
                                              "a.>",
                                              " ",
                                              "a b",
                                              "a.\tb",
                                              "a\n.b",
                                              "\ra",
                                              "a.b ",
                                              std::string("a\0b", 3)};
const std::vector<std::string> invalid_patterns{"",
                                                ".",
                                                "a.",
                                                ".a",
                                                "a..b",
                                                ">.a",
                                                "a.>.b",
                                                ">.>",
                                                "*..b",
                                                " ",
                                                "a.* ",
                                                "a b.>",
                                                std::string("a\0", 2)};

}  // namespace

TEST_CASE("receive refuses an invalid topic, with or without handlers", "[T7]") {
  for (const bool subscribed : {false, true}) {
    subscriber messages;
    if (subscribed) {
      messages.subscribe("a.b", [](int) {});
      messages.subscribe(">", [](int) { FAIL("a handler ran for an invalid topic"); });
    }
    for (const std::string& topic : invalid_topics) {
      INFO("'" << topic << "'");
      CHECK(code_of([&] { messages.receive(1, topic); }) == errc::invalid_topic);
    }
    CHECK(messages.unrouted() == 0);
  }
}

TEST_CASE("subscribe refuses an invalid pattern, and attaches no handler", "[T7]") {
  subscriber messages;
  for (const std::string& pattern : invalid_patterns) {
    INFO("'" << pattern << "'");
    CHECK(code_of([&] { messages.subscribe(pattern, [](int) {}); }) == errc::invalid_topic);
    CHECK(code_of([&] { messages.subscribe({"a", pattern, ">"}, [](int) {}); }) ==
          errc::invalid_topic);
  }
  CHECK(messages.receive(1, "a") == 0);
}

TEST_CASE("a subscription without a pattern is refused", "[T7]") {
  subscriber messages;
  CHECK(code_of([&] {
          messages.subscribe(std::initializer_list<std::string_view>{}, [](int) {});
        }) == errc::invalid_topic);
}

TEST_CASE("the refusal names the topic and its fault", "[T7]") {
  subscriber messages;
  CHECK(text_of([&] { messages.receive(1, "orders.*"); }) ==
        "invalid topic 'orders.*': a topic has no wildcards");
  CHECK(text_of([&] { messages.subscribe("orders..placed", [](int) {}); }) ==
        "invalid pattern 'orders..placed': it has an empty token");
}

TEST_CASE("a refused handler's captures are destroyed", "[T7]") {
  subscriber messages;
  const auto capture = std::make_shared<int>(0);
  CHECK_THROWS_AS(messages.subscribe("a..b", [capture](int) {}), msgbus::error);
  CHECK(capture.use_count() == 1);
}

TEST_CASE("a wildcard inside a longer token is an ordinary character of topics and patterns",
          "[T7]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe("a*.b", [&](int) { ++ran; });
  messages.subscribe("c.>>", [&](int) { ++ran; });
  CHECK(messages.receive(1, "a*.b") == 1);
  CHECK(messages.receive(1, "c.>>") == 1);
  CHECK(messages.receive(1, "ax.b") == 0);
  CHECK(messages.receive(1, "c.x") == 0);
  CHECK(ran == 2);
}

TEST_CASE("handlers run for exactly the topics that their patterns match", "[T7][T8][D1]") {
  subscriber messages;
  std::vector<std::string> ran;
  std::vector<std::string> patterns;
  // given: a handler for every valid pattern of up to three tokens
  for (const auto& pattern : msgbus_test::all_sequences({"a", "b", "*", ">"}, 3, ".")) {
    if (!msgbus_test::is_valid_pattern(pattern)) continue;
    patterns.push_back(pattern);
    messages.subscribe(pattern, [&ran, pattern](int) { ran.push_back(pattern); });
  }
  // then: for every topic, the handlers run that a plain matcher selects
  for (const auto& topic : msgbus_test::all_sequences({"a", "b", "c"}, 4, ".")) {
    INFO(topic);
    std::vector<std::string> expected;
    for (const auto& pattern : patterns) {
      if (msgbus_test::naive_match(pattern, topic)) expected.push_back(pattern);
    }
    ran.clear();
    CHECK(messages.receive(1, topic) == expected.size());
    CHECK(ran == expected);
  }
}

TEST_CASE("a handler of named types with a policy may have several patterns", "[T8]") {
  subscriber messages;
  int ran = 0;
  messages.subscribe<int>({"a", "b"}, [&](auto) { ++ran; }, {.retry = {.attempts = 2}});
  CHECK(messages.receive(1, "a") == 1);
  CHECK(messages.receive(1, "b") == 1);
  CHECK(ran == 2);
}

}  // namespace subscriber_topics_test
