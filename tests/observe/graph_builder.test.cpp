#include "observe/graph_builder.hpp"

#include "support/catch.hpp"

#include <string>

namespace graph_builder_test {

using msgbus::graph;
using msgbus::detail::graph_builder;

TEST_CASE("an object is one component, however often it is mentioned") {
  graph_builder builder;
  const int one = 0;
  const int other = 0;
  builder.component(&one, "consumer", "async").name = "audit";
  (void)builder.component(&other, "producer", "async");
  CHECK(builder.component(&one, "producer").name == "audit");
  const graph made = builder.take();
  REQUIRE(made.components.size() == 2);
  CHECK(made.components[0].id == "c1");
  CHECK(made.components[0].kind == "consumer");
  CHECK(made.components[1].id == "c2");
}

TEST_CASE("an object is described once") {
  graph_builder builder;
  const int one = 0;
  CHECK_FALSE(builder.describe(&one));
  (void)builder.component(&one, "consumer");
  CHECK(builder.describe(&one));
  CHECK_FALSE(builder.describe(&one));
}

TEST_CASE("two objects are joined once alone, and once in each group") {
  graph_builder builder;
  const int one = 0;
  const int other = 0;
  const int groups[2] = {};
  builder.bind(&one, &other);  // neither was mentioned
  (void)builder.component(&one, "producer");
  (void)builder.component(&other, "consumer");
  builder.bind(&one, &other);
  builder.bind(&one, &other);
  builder.bind(&one, &other, &groups[0], "key");
  builder.bind(&one, &other, &groups[1], "round_robin");
  builder.bind(&one, &other, &groups[0], "key");
  const graph made = builder.take();
  REQUIRE(made.bindings.size() == 3);
  CHECK(made.bindings[0].group.empty());
  CHECK(made.bindings[1].group == "g1");
  CHECK(made.bindings[1].pick == "key");
  CHECK(made.bindings[2].group == "g2");
}

TEST_CASE("contexts are numbered by kind, in the order of their mention") {
  graph_builder builder;
  const int contexts[3] = {};
  CHECK(builder.numbered("io_context", &contexts[0]) == "io_context 1");
  CHECK(builder.numbered("thread_pool", &contexts[1]) == "thread_pool 1");
  CHECK(builder.numbered("io_context", &contexts[2]) == "io_context 2");
  CHECK(builder.numbered("io_context", &contexts[0]) == "io_context 1");
  CHECK(builder.numbered("context", &contexts[1]) == "thread_pool 1");
}

}  // namespace graph_builder_test
