#include <msgbus/detail/routing/topic_tree.hpp>

#include "support/catch.hpp"
#include "support/entries.hpp"
#include "support/naive_topics.hpp"
#include "support/thrown.hpp"

#include <algorithm>
#include <random>

namespace topic_tree_test {

namespace {

using msgbus::routing::checked_patterns;
using msgbus::routing::router;
using msgbus::routing::topic_entry;
using msgbus::routing::topic_tree;
using msgbus_test::code_of;

class tree_entry : public msgbus_test::bare<topic_entry> {
 public:
  using bare::bare;
  using topic_entry::describe_patterns;
};

using orders = std::vector<std::uint64_t>;

// A tree, and a plain list of the same subscriptions.
class checked_tree {
 public:
  std::uint64_t add(std::vector<std::string> patterns) {
    const auto entry = tree_->attach([&](std::uint64_t order) {
      return std::make_shared<tree_entry>(&destroyed, order, patterns, nullptr);
    });
    all_.push_back({std::move(patterns), entry});
    return entry->order();
  }

  void remove(std::size_t index) {
    router::detach(*all_[index].entry);
    all_.erase(all_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  [[nodiscard]] std::size_t size() const { return all_.size(); }

  [[nodiscard]] orders found(std::string_view topic) const {
    const msgbus::routing::guard guard(tree_->guarded());
    msgbus::routing::merged_handlers found;
    tree_->find(topic, msgbus::detail::hash_of(topic), found);
    orders result;
    found.for_each([&](const auto& each) { result.push_back(each.entry->order()); });
    return result;
  }

  [[nodiscard]] orders expected(std::string_view topic) const {
    orders result;
    for (const auto& each : all_) {
      for (const std::string& pattern : each.patterns) {
        if (!msgbus_test::naive_match(pattern, topic)) continue;
        result.push_back(each.entry->order());
        break;
      }
    }
    return result;
  }

  // The number of topics with a wrong result.
  [[nodiscard]] std::size_t wrong(const std::vector<std::string>& topics) const {
    std::size_t count = 0;
    for (const std::string& topic : topics) {
      if (found(topic) == expected(topic)) continue;
      UNSCOPED_INFO("topic " << topic);
      ++count;
    }
    return count;
  }

  int destroyed = 0;

 private:
  struct subscribed {
    std::vector<std::string> patterns;
    std::shared_ptr<tree_entry> entry;
  };

  std::shared_ptr<topic_tree> tree_ = std::make_shared<topic_tree>();
  std::vector<subscribed> all_;
};

std::vector<std::string> patterns_of_up_to_4() {
  std::vector<std::string> valid;
  for (auto& each : msgbus_test::all_sequences({"a", "b", "*", ">"}, 4, ".")) {
    if (msgbus_test::is_valid_pattern(each)) valid.push_back(std::move(each));
  }
  return valid;
}

std::vector<std::string> topics_of_up_to(std::size_t tokens) {
  return msgbus_test::all_sequences({"a", "b"}, tokens, ".");
}

}  // namespace

TEST_CASE("a pattern without wildcards matches its own topic only", "[T7]") {
  checked_tree tree;
  tree.add({"a.b"});
  CHECK(tree.found("a.b").size() == 1);
  for (const char* other : {"a", "b", "a.b.c", "a.c", "ab", "b.a", "A.b"}) {
    INFO(other);
    CHECK(tree.found(other).empty());
  }
}

TEST_CASE("a star matches one token, and a last > matches one or more", "[T7]") {
  checked_tree tree;
  const auto star = tree.add({"a.*"});
  const auto rest = tree.add({"a.>"});
  const auto middle = tree.add({"a.*.c"});
  const auto every = tree.add({">"});
  CHECK(tree.found("a") == orders{every});
  CHECK(tree.found("a.b") == orders{star, rest, every});
  CHECK(tree.found("a.b.c") == orders{rest, middle, every});
  CHECK(tree.found("a.b.d") == orders{rest, every});
  CHECK(tree.found("b.b") == orders{every});
}

TEST_CASE("a wildcard inside a longer token matches itself only", "[T7]") {
  checked_tree tree;
  tree.add({"a*.b"});
  const auto star = tree.add({"*.>>"});
  CHECK(tree.found("a*.b").size() == 1);
  CHECK(tree.found("ax.b").empty());
  CHECK(tree.found("x.>>") == orders{star});
  CHECK(tree.found("x.y").empty());
}

TEST_CASE("each pattern alone matches the same topics as a plain matcher", "[T7]") {
  const auto topics = topics_of_up_to(5);
  std::size_t wrong = 0;
  for (const std::string& pattern : patterns_of_up_to_4()) {
    checked_tree tree;
    tree.add({pattern});
    const std::size_t here = tree.wrong(topics);
    if (here != 0) UNSCOPED_INFO("pattern " << pattern);
    wrong += here;
  }
  CHECK(wrong == 0);
}

TEST_CASE("all patterns together match the same topics as a plain matcher", "[T7][D1][T8]") {
  const auto topics = topics_of_up_to(5);
  checked_tree tree;
  for (const std::string& pattern : patterns_of_up_to_4()) tree.add({pattern});
  CHECK(tree.size() > 150);
  CHECK(tree.wrong(topics) == 0);
}

TEST_CASE("remaining patterns match correctly after others were removed, down to the last",
          "[T7][D1]") {
  const auto topics = topics_of_up_to(4);
  checked_tree tree;
  for (const std::string& pattern : patterns_of_up_to_4()) tree.add({pattern});
  const auto added = static_cast<int>(tree.size());
  std::mt19937 random(20240601);  // NOLINT: the same sequence each time
  std::size_t wrong = 0;
  while (tree.size() > 0) {
    tree.remove(random() % tree.size());
    if (tree.size() % 8 == 0) wrong += tree.wrong(topics);
  }
  CHECK(wrong == 0);
  CHECK(tree.destroyed == added);
  tree.add({"a.*.b"});  // the tree grows again from its root
  CHECK(tree.wrong(topics) == 0);
}

TEST_CASE("patterns that are added and removed repeatedly match correctly", "[T7][D1]") {
  const auto topics = topics_of_up_to(4);
  const auto patterns = patterns_of_up_to_4();
  checked_tree tree;
  std::mt19937 random(42);  // NOLINT: the same sequence each time
  std::size_t wrong = 0;
  // when: random patterns are added and removed
  for (int round = 0; round < 3000; ++round) {
    if (tree.size() < 5 || random() % 2 == 0) {
      std::vector<std::string> chosen;
      for (std::size_t i = random() % 3 + 1; i > 0; --i) {
        const std::string& pattern = patterns[random() % patterns.size()];
        if (std::find(chosen.begin(), chosen.end(), pattern) == chosen.end()) {
          chosen.push_back(pattern);
        }
      }
      tree.add(std::move(chosen));
    } else {
      tree.remove(random() % tree.size());
    }
    if (round % 100 == 0) wrong += tree.wrong(topics);
  }
  // then: every topic has the handlers that a plain matcher selects
  CHECK(wrong == 0);
}

TEST_CASE("a handler with several matching patterns is found once", "[T8]") {
  checked_tree tree;
  const auto both = tree.add({"a.b", "a.*", ">", "*.b"});
  const auto one = tree.add({"a.>"});
  CHECK(tree.found("a.b") == orders{both, one});
  tree.remove(0);
  CHECK(tree.found("a.b") == orders{one});
}

TEST_CASE("a topic may match more patterns than merged_handlers stores inside", "[D1]") {
  checked_tree tree;
  orders expected;
  // All combinations of a star and a name over four tokens; each has its own route.
  for (unsigned mask = 0; mask < 16; ++mask) {
    std::string pattern;
    for (unsigned bit = 0; bit < 4; ++bit) {
      pattern += (bit ? "." : "") + std::string((mask >> bit & 1U) ? "*" : "t");
    }
    expected.push_back(tree.add({pattern}));
  }
  for (const char* pattern : {">", "t.>", "t.t.>", "*.t.>"})
    expected.push_back(tree.add({pattern}));
  CHECK(tree.found("t.t.t.t") == expected);
}

TEST_CASE("a topic with very many tokens is found", "[T7]") {
  std::string topic = "t";
  std::string pattern = "*";
  for (int i = 0; i < 300; ++i) {
    topic += ".t";
    pattern += i % 2 ? ".*" : ".t";
  }
  checked_tree tree;
  tree.add({pattern});
  tree.add({pattern + ".>"});
  CHECK(tree.found(topic).size() == 1);
  CHECK(tree.found(topic + ".t").size() == 1);
  CHECK(tree.found(topic.substr(2)).empty());
}

TEST_CASE("an invalid topic is refused, with and without handlers", "[T7]") {
  checked_tree tree;
  for (int step = 0; step < 3; ++step) {
    for (const char* invalid : {"", ".", "a..b", "a.", ".a", "a.*", "*", ">", "a b"}) {
      INFO("'" << invalid << "' in step " << step);
      CHECK(code_of([&] { (void)tree.found(invalid); }) == msgbus::errc::invalid_topic);
    }
    tree.add({step == 0 ? "a.b" : ">"});
  }
}

TEST_CASE("has_wildcard recognises patterns with wildcards") {
  for (const char* text : {"*", ">", "a.*", "a.>", "*.a", "a.*.b"}) {
    INFO(text);
    CHECK(msgbus::routing::has_wildcard(text));
  }
  for (const char* text : {"a", "a.b", "a*", ">a", "a.**", "a.b>"}) {
    INFO(text);
    CHECK_FALSE(msgbus::routing::has_wildcard(text));
  }
}

TEST_CASE("patterns are checked, and kept once each, in order", "[T7][T8]") {
  CHECK(checked_patterns({"b", "a.*", "b", "a"}) == std::vector<std::string>{"b", "a.*", "a"});
  CHECK(code_of([] { (void)checked_patterns({"a", "b..c"}); }) == msgbus::errc::invalid_topic);
  CHECK(code_of([] { (void)checked_patterns({}); }) == msgbus::errc::invalid_topic);
}

TEST_CASE("an entry describes its patterns") {
  const tree_entry one(nullptr, 1U, std::vector<std::string>{"a.*"}, nullptr);
  CHECK(one.describe_patterns() == "'a.*'");
  const tree_entry two(nullptr, 1U, std::vector<std::string>{"a.*", "b"}, nullptr);
  CHECK(two.describe_patterns() == "'a.*', 'b'");
}

}  // namespace topic_tree_test
