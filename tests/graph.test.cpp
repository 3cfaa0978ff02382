#include <msgbus/graph.hpp>

#include "core/text.hpp"
#include "observe/graph_forms.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#if defined(MSGBUS_DOT) || defined(MSGBUS_SCHEMA) || defined(MSGBUS_MERMAID)
#include "support/run_with.hpp"
#endif

namespace graph_test {

using msgbus::describe;
using msgbus::graph;
using msgbus::graph_format;

namespace {

/// A producer that is bound to one consumer alone, and to two of a group.
graph shop(const std::string& name = "audit") {
  graph all;
  graph::component sender{.id = "c1", .name = "orders", .kind = "producer", .family = "async"};
  graph::component receiver{.id = "c2", .name = name, .kind = "consumer", .family = "async"};
  receiver.executor = "io_context 1";
  receiver.capacity = 1024;
  receiver.concurrency = 1;
  receiver.on_full = "suspend";
  graph::handler handler;
  handler.label = "handler of " + name;
  handler.messages = {name};
  handler.attached_at = {"/src/" + name + ".cpp", 41};
  handler.coroutine = true;
  handler.policy = "timeout 2 s, 5 attempts";
  graph::dependency database{.name = "database", .type = "db&", .required = true};
  graph::dependency limit{.name = name, .type = "int"};
  limit.overridden_by = name;
  limit.overridden_at = {name, 7};
  limit.needs = {database};
  handler.dependencies = {limit};
  receiver.handlers = {handler};
  graph::component operations{.id = "c3", .kind = "service", .family = "sync"};
  graph::handler operation;
  operation.label = "operation '" + name + "'";
  operation.operation = name;
  operation.arguments = "int, std::string";
  operation.result = "bool";
  operations.handlers = {operation};
  all.components = {sender, receiver, operations};
  all.bindings = {{"c1", "c2", "", ""}, {"c1", "c3", "g1", "round_robin"}};
  return all;
}

const std::string odd_name =
    "odd \"name\" \\ \n \t <b>&amp;</b> {a|b} [x] `y` #quot; %% ;--> \xff \xe2\x80\xa8 "
    "\xf0\x9f\x9a\x80";

}  // namespace

TEST_CASE("a graph as text has the kind of each component, and its bindings") {
  CHECK(describe(shop()) ==
        "producer \"orders\"\n"
        "  -> consumer \"audit\"\n"
        "  -> service c3, one of g1 (round_robin)\n"
        "consumer \"audit\" on io_context 1, mailbox 1024 (suspend), 1 at once\n"
        "  1. handler of audit, a coroutine, at /src/audit.cpp:41\n"
        "      with timeout 2 s, 5 attempts\n"
        "      needs audit, overridden at audit:7\n"
        "        needs database, which has no override: it is not provided\n"
        "service c3\n"
        "  1. operation 'audit'(int, std::string) -> bool, at unknown\n");
}

TEST_CASE("a stream gets the text form of a graph") {
  std::ostringstream out;
  out << shop();
  CHECK(out.str() == describe(shop()));
  std::ostringstream place;
  place << graph::place{"a.cpp", 3} << ' ' << graph::place{};
  CHECK(place.str() == "a.cpp:3 unknown");
}

TEST_CASE("a component is found by its id") {
  const graph all = shop();
  REQUIRE(all.find("c2"));
  CHECK(all.find("c2")->label() == "consumer \"audit\"");
  CHECK(all.find("c9") == nullptr);
}

TEST_CASE("a dependency is provided if everything that it needs is") {
  graph::dependency missing{.name = "database", .required = true};
  CHECK_FALSE(missing.provided());
  graph::dependency outer{.name = "session"};
  CHECK(outer.provided());
  outer.needs = {missing};
  CHECK_FALSE(outer.provided());
  outer.needs[0].overridden_by = "fake";
  CHECK(outer.provided());
}

TEST_CASE("names of any bytes stay in one line of the text", "[O3]") {
  const std::string text = describe(shop(odd_name));
  const std::string plain = describe(shop());
  const auto lines = [](const std::string& in) { return std::count(in.begin(), in.end(), '\n'); };
  CHECK(lines(text) == lines(plain));
}

TEST_CASE("the JSON form holds names of any bytes", "[O3]") {
  const std::string json = describe(shop(odd_name), graph_format::json);
  CHECK(json.find('\n') == std::string::npos);
  CHECK(json.find(R"(odd \"name\" \\ \u000a \u0009 <b>)") != std::string::npos);
  CHECK(json.starts_with(R"({"version":1,"components":[{"id":"c1","name":"orders",)"));
}

TEST_CASE("a string of the DOT language ends at its end, and shows its content", "[O3]") {
  CHECK(msgbus::detail::dot_string("a \"b\" \\n &lt; \n\x01") ==
        "\"a \\\"b\\\" \\\\n &amp;lt; \\n \"");
}

TEST_CASE("a label of Mermaid has no character with a meaning", "[O3]") {
  CHECK(msgbus::detail::mermaid_string("a \"b\" #x; <i>\n\xc3\xa9") ==
        "\"a #34;b#34; #35;x#59; #60;i#62;<br/>#233;\"");
  CHECK(msgbus::detail::mermaid_string("\xf0\x9f\x9a\x80\xff") == "\"#128640;#65533;\"");
  CHECK(msgbus::detail::mermaid_string("\\n $$") == "\"#92;#8288;n #36;#8288;#36;\"");
}

TEST_CASE("the Mermaid form has one line for each component and each binding") {
  CHECK(describe(shop(), graph_format::mermaid)
            .starts_with("flowchart LR\n"
                         "  c1([\"producer #34;orders#34;\"])\n"
                         "  c2[\"consumer #34;audit#34;<br/>"));
  CHECK(describe(shop(), graph_format::mermaid)
            .ends_with("  c1 --> c2\n"
                       "  c1 -.->|\"one of g1, round_robin\"| c3\n"));
}

TEST_CASE("an empty graph has every form") {
  CHECK(describe(graph{}).empty());
  CHECK(describe(graph{}, graph_format::json) == R"({"version":1,"components":[],"bindings":[]})");
  CHECK(describe(graph{}, graph_format::mermaid) == "flowchart LR\n");
  CHECK(describe(graph{}, graph_format::dot).ends_with("}\n"));
}

#ifdef MSGBUS_DOT
TEST_CASE("Graphviz draws a graph with names of any bytes", "[O3]") {
  for (const std::string& name : {std::string("audit"), odd_name, std::string("\0\x01\x7f", 3),
                                  std::string("<<b>x</b>>"), std::string("\\N\\G\\l")}) {
    const std::string dot = describe(shop(name), graph_format::dot);
    CHECK(msgbus_test::run_with(MSGBUS_DOT " -Tsvg -o graph_test.svg", dot) == 0);
    std::ifstream drawn("graph_test.svg");
    const std::string svg{std::istreambuf_iterator<char>(drawn), {}};
    CHECK(svg.find("c2") != std::string::npos);
    CHECK(svg.find("io_context 1") != std::string::npos);
  }
  std::remove("graph_test.svg");
}
#endif

#ifdef MSGBUS_MERMAID
TEST_CASE("Mermaid draws a graph with names of any bytes, as the text has them", "[O3]") {
  using msgbus::detail::drawn_label;
  using msgbus::detail::json_string;
  std::string ascii;
  for (char c = ' '; c <= '~'; ++c) ascii += c;
  std::string input;
  for (const std::string& name :
       {std::string("audit"), odd_name, ascii, std::string("\0\x01\x7f", 3),
        std::string("<img src=x onerror=alert(1)>"), std::string("&amp; &#35; %%{init: {}}%%"),
        std::string("end"), std::string("1. **b** `c` _d_ $$x^2$$ fa:fa-car https://a.b/")}) {
    graph all = shop(name);
    all.components[2].detail = name;
    std::string nodes, arrows;
    for (const graph::component& each : all.components) {
      nodes +=
          (nodes.empty() ? "" : ",") + json_string(each.id) + ':' + json_string(drawn_label(each));
    }
    for (const graph::binding& each : all.bindings) {
      arrows += (arrows.empty() ? "" : ",") + json_string(drawn_label(each));
    }
    input += R"({"graph":)" + json_string(describe(all, graph_format::mermaid)) + R"(,"nodes":{)" +
             nodes + R"(},"arrows":[)" + arrows + "]}\n";
  }
  CHECK(msgbus_test::run_with(MSGBUS_MERMAID, input) == 0);
  // The check itself.
  CHECK(
      msgbus_test::run_with(MSGBUS_MERMAID " 2>/dev/null",
                            R"({"graph":"flowchart LR\n c1[\"a\"]","nodes":{"c1":"b"},"arrows":[]})"
                            "\n") == 1);
}
#endif

#ifdef MSGBUS_SCHEMA
TEST_CASE("the JSON form follows its schema", "[O3]") {
  for (const std::string& name : {std::string("audit"), odd_name, std::string("\0\x01\x7f", 3)}) {
    CHECK(msgbus_test::run_with(MSGBUS_SCHEMA, describe(shop(name), graph_format::json)) == 0);
  }
  CHECK(msgbus_test::run_with(MSGBUS_SCHEMA, describe(graph{}, graph_format::json)) == 0);
  CHECK(msgbus_test::run_with(MSGBUS_SCHEMA " 2>&1",
                              R"({"version":1,"components":[{}],"bindings":[]})") != 0);
}
#endif

TEST_CASE("forms of a graph are printed by their names") {
  using enum msgbus::graph_format;
  CHECK(Catch::Detail::stringify(std::vector{text, json, dot, mermaid, asyncapi}) ==
        "{ text, json, dot, mermaid, asyncapi }");
}

}  // namespace graph_test
