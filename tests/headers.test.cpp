#include <msgbus/headers.hpp>

#include "support/catch.hpp"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace headers_test {

using msgbus::headers;

namespace {

std::vector<std::pair<std::string, std::string>> all_of(const headers& in) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, value] : in) all.emplace_back(name, value);
  return all;
}

}  // namespace

TEST_CASE("headers are kept in the order in which they were added") {
  headers some{{"B", "2"}, {"A", "1"}};
  some.add("C", "");
  CHECK(all_of(some) ==
        std::vector<std::pair<std::string, std::string>>{{"B", "2"}, {"A", "1"}, {"C", ""}});
  CHECK(some.size() == 3);
  CHECK_FALSE(some.empty());
  CHECK(headers().empty());
}

TEST_CASE("a header is found by its name, with its case") {
  const headers some{{"Type", "order"}, {"type", "other"}, {"Id", "7"}};
  CHECK(some.at("Type") == "order");
  CHECK(some.find("type")->second == "other");
  CHECK(some.get("TYPE") == "");
  CHECK(some.find("TYPE") == some.end());
  CHECK_FALSE(some.contains("Typ"));
  CHECK_THROWS_WITH(some.at("TYPE"), Catch::Contains("'TYPE'"));
}

TEST_CASE("a name may occur several times until it is assigned or erased") {
  headers some{{"A", "1"}, {"B", "2"}};
  some.add("A", "3");
  CHECK(some.count("A") == 2);
  CHECK(some.at("A") == "1");
  CHECK_FALSE(some.emplace("A", "4"));
  CHECK(some.emplace("C", "4"));
  some.insert_or_assign("A", "5");
  CHECK(all_of(some) ==
        std::vector<std::pair<std::string, std::string>>{{"B", "2"}, {"C", "4"}, {"A", "5"}});
  CHECK(some.erase("B") == 1);
  CHECK(some.erase("B") == 0);
  CHECK(some == headers{{"A", "5"}, {"C", "4"}});
}

TEST_CASE("headers are equal if each name has the same values in the same order") {
  CHECK(headers{{"A", "1"}, {"B", "2"}} == headers{{"B", "2"}, {"A", "1"}});
  CHECK(headers{{"A", "1"}, {"A", "2"}} == headers{{"A", "1"}, {"A", "2"}});
  CHECK_FALSE(headers{{"A", "1"}, {"A", "2"}} == headers{{"A", "2"}, {"A", "1"}});
  CHECK_FALSE(headers{{"A", "1"}, {"A", "1"}} == headers{{"A", "1"}, {"B", "1"}});
  CHECK_FALSE(headers{{"A", "1"}} == headers{{"A", "1"}, {"B", "1"}});
}

TEST_CASE("headers keep their values when they grow, are copied or are moved") {
  for (const int many : {1, 3, 40}) {
    headers some;
    for (int i = 0; i < many; ++i) {
      some.add("Name-" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 7, 'x'));
    }
    const auto wanted = all_of(some);
    headers copy(some);
    CHECK(all_of(copy) == wanted);
    headers moved(std::move(copy));
    CHECK(all_of(moved) == wanted);
    CHECK(copy.empty());  // NOLINT(bugprone-use-after-move): it can be used again
    copy.add("A", "1");
    copy = some;
    CHECK(all_of(copy) == wanted);
    const headers& same = copy;
    copy = same;
    CHECK(all_of(copy) == wanted);
    copy = std::move(moved);
    CHECK(all_of(copy) == wanted);
    copy.clear();
    CHECK(copy.empty());
  }
}

TEST_CASE("a header's name and value end with a zero and become strings") {
  const headers some{{"A", "1"}};
  const auto [name, value] = *some.begin();
  CHECK(std::string(name.c_str()) == "A");
  const std::string text = value;
  CHECK(text == "1");
  std::vector<std::string> texts;
  texts.push_back(some.at("A"));
  CHECK(texts.front() == "1");
}

TEST_CASE("headers are printed in one line, for all bytes") {
  std::ostringstream out;
  out << headers{{"A", "1"}, {"B", "x\ny"}} << headers{};
  CHECK(out.str() == R"(headers{{"A", "1"}, {"B", "x\ny"}}headers{})");
}

}  // namespace headers_test
