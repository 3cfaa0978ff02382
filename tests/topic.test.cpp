#include <msgbus/topic.hpp>

#include "support/catch.hpp"
#include "support/naive_topics.hpp"
#include "support/thrown.hpp"

#include <string>

namespace topic_test {

namespace {

using msgbus::detail::topic_fault;
using msgbus_test::code_of;
using msgbus_test::text_of;

struct order {};

inline constexpr msgbus::topic<order> order_placed{"orders.placed"};

std::string fault_of(std::string_view text, bool is_pattern) {
  const char* const fault = topic_fault(text, is_pattern);
  return fault ? fault : "";
}

}  // namespace

TEST_CASE("next_token splits a text token by token") {
  std::string_view rest = "orders.eu.placed";
  CHECK(msgbus::detail::next_token(rest) == "orders");
  CHECK(rest == "eu.placed");
  CHECK(msgbus::detail::next_token(rest) == "eu");
  CHECK(msgbus::detail::next_token(rest) == "placed");
  CHECK(rest.empty());
}

TEST_CASE("an error describes the fault of a topic", "[T7]") {
  CHECK(fault_of("", false) == "it is empty");
  for (const char* text : {".", "a.", ".a", "a..b", ".."}) {
    INFO(text);
    CHECK(fault_of(text, false) == "it has an empty token");
    CHECK(fault_of(text, true) == "it has an empty token");
  }
  for (const char* text : {"*", ">", "a.*", "*.a", "a.>", "a.*.b"}) {
    INFO(text);
    CHECK(fault_of(text, false) == "a topic has no wildcards");
  }
  for (const char* text : {">.a", "a.>.b", ">.>", "a.>.>"}) {
    INFO(text);
    CHECK(fault_of(text, true) == "'>' is not its last token");
  }
  for (const char space : {' ', '\t', '\n', '\v', '\f', '\r', '\0'}) {
    CHECK(fault_of(std::string("a") + space + "b", false) == "it has white space");
    CHECK(fault_of(std::string("a.") + space, true) == "it has white space");
  }
}

TEST_CASE("valid topics and patterns have no fault", "[T7]") {
  for (const char* text : {"a", "a.b", "orders.placed.eu", "A-b_c.1", "$sys", "caf\xc3\xa9"}) {
    INFO(text);
    CHECK(fault_of(text, false).empty());
    CHECK(fault_of(text, true).empty());
  }
  for (const char* text : {"*", ">", "a.*", "*.a", "a.>", "*.>", "*.*", "a.*.b"}) {
    INFO(text);
    CHECK(fault_of(text, true).empty());
  }
}

TEST_CASE("a wildcard inside a longer token is an ordinary character", "[T7]") {
  for (const char* text : {"a*", "*a", "**", ">>", "a>", ">a.b", "a.b*c", "*>"}) {
    INFO(text);
    CHECK(fault_of(text, false).empty());
    CHECK(fault_of(text, true).empty());
  }
}

TEST_CASE("every short text is valid exactly if the plain grammar accepts it", "[T7]") {
  std::size_t wrong = 0;
  std::size_t valid = 0;
  for (const std::string& text : msgbus_test::all_sequences({"a", ".", "*", ">", " "}, 6, "")) {
    const bool is_topic = topic_fault(text, false) == nullptr;
    const bool is_pattern = topic_fault(text, true) == nullptr;
    if (is_topic != msgbus_test::is_valid_topic(text) ||
        is_pattern != msgbus_test::is_valid_pattern(text)) {
      UNSCOPED_INFO("'" << text << "'");
      ++wrong;
    }
    valid += is_pattern ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(valid > 1000);
}

TEST_CASE("a valid topic is split into its tokens, if they are not too many", "[T7]") {
  msgbus::detail::topic_tokens tokens;
  // then: a valid topic has its tokens
  REQUIRE(msgbus::detail::split_topic("orders.*x.placed", tokens));
  REQUIRE(tokens.count == 3);
  CHECK(std::string_view(tokens.at[0].text, tokens.at[0].size) == "orders");
  CHECK(std::string_view(tokens.at[1].text, tokens.at[1].size) == "*x");
  CHECK(std::string_view(tokens.at[2].text, tokens.at[2].size) == "placed");
  // then: invalid topics are refused
  for (const char* text : {"", ".", "a.", ".a", "a..b", "*", "a.>", "a.*.b", "a b", "a.\tb"}) {
    INFO(text);
    msgbus::detail::topic_tokens none;
    CHECK_FALSE(msgbus::detail::split_topic(text, none));
    CHECK(topic_fault(text, false) != nullptr);
  }
  // then: a topic with more tokens than the limit is refused
  std::string longest = "a";
  for (std::size_t i = 1; i < msgbus::detail::topic_tokens::most; ++i) longest += ".a";
  msgbus::detail::topic_tokens all;
  CHECK(msgbus::detail::split_topic(longest, all));
  msgbus::detail::topic_tokens too_many;
  CHECK_FALSE(msgbus::detail::split_topic(longest + ".a", too_many));
}

TEST_CASE("a topic of any length is split at its dots, or refused as the grammar requires",
          "[T7]") {
  std::size_t wrong = 0;
  std::size_t split = 0;
  const auto endings = msgbus_test::all_sequences({"a", ".", "*", " ", "\x01", "\xae"}, 4, "");
  for (std::size_t before = 0; before < 18; ++before) {
    for (const std::string& ending : endings) {
      const std::string text = std::string(before, 'x') + ending + (before % 2 == 0 ? "" : ".end");
      msgbus::detail::topic_tokens tokens;
      bool right =
          msgbus::detail::split_topic(text, tokens) == (topic_fault(text, false) == nullptr);
      if (right && topic_fault(text, false) == nullptr) {
        ++split;
        std::size_t count = 0;
        for (std::string_view rest = text; !rest.empty(); ++count) {
          const auto token = msgbus::detail::next_token(rest);
          right = right && count < tokens.count &&
                  token == std::string_view(tokens.at[count].text, tokens.at[count].size);
        }
        right = right && count == tokens.count;
      }
      if (!right) UNSCOPED_INFO("'" << text << "'");
      wrong += right ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  CHECK(split > 1000);
}

TEST_CASE("an error names the refused topic and its fault", "[T7]") {
  CHECK(code_of([] { msgbus::detail::check_topic("a..b"); }) == msgbus::errc::invalid_topic);
  CHECK(text_of([] { msgbus::detail::check_topic("a..b"); }) ==
        "invalid topic 'a..b': it has an empty token");
  CHECK(text_of([] { msgbus::detail::check_topic("a.*"); }) ==
        "invalid topic 'a.*': a topic has no wildcards");
  CHECK(code_of([] { msgbus::detail::check_pattern(">.a"); }) == msgbus::errc::invalid_topic);
  CHECK(text_of([] { msgbus::detail::check_pattern(">.a"); }) ==
        "invalid pattern '>.a': '>' is not its last token");
  CHECK_NOTHROW(msgbus::detail::check_topic("a.b"));
  CHECK_NOTHROW(msgbus::detail::check_pattern("a.*.>"));
}

TEST_CASE("a typed topic has its name, its hash and its type at compile time") {
  STATIC_REQUIRE(order_placed.name() == "orders.placed");
  STATIC_REQUIRE(order_placed.hash() == msgbus::detail::hash_of("orders.placed"));
  STATIC_REQUIRE(std::is_same_v<decltype(order_placed)::message_type, order>);
  const std::string written = "orders.placed";
  CHECK(order_placed.hash() == msgbus::detail::hash_of(written));
}

}  // namespace topic_test
