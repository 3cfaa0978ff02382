#include "top/status.hpp"

#include "support/catch.hpp"
#include "top_documents.hpp"

#include <string>

namespace status_test {

using msgbus::top::level;
using msgbus::top::not_a_monitor;
using msgbus::top::read_status;
using msgbus_test::contains;
using msgbus_test::top_component;
using msgbus_test::top_document;
using nlohmann::json;

TEST_CASE("msgbus-top reads a document of a monitor") {
  json billing = top_component("billing");
  billing["waiting"] = 59;
  billing["rates"]["dropped"] = 1.5;
  billing["rates"]["rejected"] = 1;
  billing["wait"] = {{"p50", 0.5}, {"p99", 10}};
  billing["breakers"] =
      json::array({{{"name", "a"}, {"state", "closed"}}, {{"name", "b"}, {"state", "open"}}});
  billing["last_error"] = {{"time", 990}, {"text", "no money"}};
  const auto read = read_status(top_document(billing).dump());
  CHECK(read.title == "shop");
  REQUIRE(read.rows.size() == 1);
  const auto& row = read.rows.front();
  CHECK(row.waiting == 59);
  CHECK(row.lost == 2.5);
  CHECK(row.wait->p99 == 10);
  CHECK_FALSE(row.handle);
  CHECK(row.breaker == "open");
  CHECK(row.error == "no money");
  CHECK(row.error_age == 10.0);
}

TEST_CASE("each trouble weighs as on the page of the monitor") {
  // The same changes and weights are in tests/page/page_test.py.
  const auto [change, weight, worst] = GENERATE(table<std::string, int, level>({
      {R"({})", 0, level::good},
      {R"({"breakers":[{"name":"","state":"open"}]})", 200, level::bad},
      {R"({"breakers":[{"name":"","state":"isolated"}]})", 200, level::bad},
      {R"({"breakers":[{"name":"","state":"half_open"}]})", 50, level::warn},
      {R"({"rates":{"failed":1,"handled":2}})", 130, level::bad},
      {R"({"rates":{"dropped":1}})", 100, level::bad},
      {R"({"rates":{"rejected":1}})", 100, level::bad},
      {R"({"rates":{"abandoned":1}})", 100, level::bad},
      {R"({"rates":{"unrouted":1}})", 40, level::warn},
      {R"({"waiting":79})", 0, level::good},
      {R"({"waiting":80})", 80, level::warn},
      {R"({"blocked_senders":1})", 60, level::warn},
      {R"({"dead_letters":3})", 10, level::good},
      {R"({"oldest":5})", 2, level::good},
      {R"({"oldest":100000})", 9, level::good},
      {R"({"last_error":{"time":941,"text":""}})", 20, level::good},
      {R"({"last_error":{"time":940,"text":""}})", 0, level::good},
  }));
  json component = top_component("a");
  component.update(json::parse(change), true);
  const auto row = read_status(top_document(component).dump()).rows.front();
  CAPTURE(change);
  CHECK(row.trouble == weight);
  CHECK(row.worst == worst);
}

TEST_CASE("warnings and executors that do not answer weigh on their components") {
  json document = top_document(top_component("a"), top_component("b"));
  document["stalled"] = json::parse(R"([{"executor":"pool","seconds":12,"components":["b"],
      "running":[{"handler":"handler of x","component":"b"}]}])");
  document["warnings"] = json::parse(R"([{"kind":"slow_handler","component":"b","text":"slow"},
      {"kind":"stalled_executor","component":"","text":"pool is stuck"}])");
  const auto read = read_status(document.dump());
  CHECK(read.rows[0].trouble == 0);
  CHECK(read.rows[1].trouble == 1050);
  CHECK(read.rows[1].worst == level::bad);
  CHECK(read.stalled ==
        std::vector<std::string>{"pool has not answered for 12s: handler of x of b"});
  CHECK(read.warnings == std::vector<std::string>{"b: slow"});
}

TEST_CASE("texts of a monitor do not command the terminal") {
  json component = top_component("a");
  component["name"] = "a\x1b[2J\nb";
  CHECK(read_status(top_document(component).dump()).rows.front().name ==
        "a\xef\xbf\xbd[2J\xef\xbf\xbd"
        "b");
}

TEST_CASE("documents of others are refused with a sentence") {
  for (const char* const text : {"", "hello", "[]", "{}", "3", R"({"version":1})", R"({"version":1,
        "msgbus":1,"title":2,"state":3,"time":"now","since":0,"components":{},"stalled":0})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(read_status(text), not_a_monitor);
  }
  json wrong = top_document(top_component("a"));
  wrong["components"][0]["waiting"] = "many";
  CHECK_THROWS_AS(read_status(wrong.dump()), not_a_monitor);
  CHECK_THROWS_WITH(read_status(R"({"version":2})"), contains("version 2"));
}

}  // namespace status_test
