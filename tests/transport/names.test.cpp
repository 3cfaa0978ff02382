#include "transport/names.hpp"

#include <msgbus/topic.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace names_test {

using msgbus::transport::pattern_matches;
using msgbus::transport::patterns_overlap;

TEST_CASE("a pattern matches as in NATS", "[T7]") {
  CHECK(pattern_matches("a.b", "a.b"));
  CHECK_FALSE(pattern_matches("a.b", "a"));
  CHECK_FALSE(pattern_matches("a", "a.b"));
  CHECK(pattern_matches("a.*", "a.b"));
  CHECK_FALSE(pattern_matches("a.*", "a"));
  CHECK_FALSE(pattern_matches("a.*", "a.b.c"));
  CHECK(pattern_matches("a.>", "a.b.c"));
  CHECK_FALSE(pattern_matches("a.>", "a"));
  CHECK(pattern_matches("*.b.>", "a.b.c"));
  CHECK(pattern_matches(">", "a"));
}

TEST_CASE("two patterns overlap if some topic matches both") {
  // All patterns and topics of up to three tokens, over two letters.
  std::vector<std::string> topics{""};
  std::vector<std::string> patterns{""};
  for (int length = 0; length < 3; ++length) {
    const auto longer = [](std::vector<std::string>& all, const std::vector<std::string>& tokens) {
      for (std::size_t i = 0, before = all.size(); i < before; ++i) {
        if (all[i].ends_with('>')) continue;
        for (const std::string& each : tokens) {
          all.push_back(all[i].empty() ? each : all[i] + "." + each);
        }
      }
    };
    longer(topics, {"a", "b"});
    longer(patterns, {"a", "b", "*", ">"});
  }
  topics.erase(topics.begin());
  patterns.erase(patterns.begin());
  // then: patterns overlap exactly if one of the topics matches both
  for (const std::string& one : patterns) {
    for (const std::string& other : patterns) {
      bool both = false;
      for (const std::string& topic : topics) {
        both = both || (pattern_matches(one, topic) && pattern_matches(other, topic));
      }
      INFO(one << " and " << other);
      REQUIRE(patterns_overlap(one, other) == both);
    }
  }
}

}  // namespace names_test
