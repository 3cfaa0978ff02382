#include "monitor/status.hpp"

#include "monitor/graph_svg.hpp"

#include "support/catch.hpp"
#include "support/run_with.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace status_test {

using namespace msgbus::monitoring;
using msgbus_test::contains;
using nlohmann::json;

namespace {

const std::string odd = "odd \"name\" \\ \n <b>&amp;</b> \xff \xe2\x80\xa8 \x01 </script>";

msgbus::graph::component node(const char* id, const char* kind, std::string name,
                              std::string handles = {}) {
  msgbus::graph::component made;
  made.id = id;
  made.kind = kind;
  made.name = std::move(name);
  made.family = "async";
  if (!handles.empty()) {
    msgbus::graph::handler handler;
    handler.label = "handler of " + handles;
    handler.messages = {handles};
    made.handlers.push_back(handler);
  }
  return made;
}

/// A producer that is bound to two consumers, of which one has another sender too; a publisher that
/// is bound to nothing; everything has an odd name.
figures_now shop() {
  figures_now made;
  made.is.time = 1'700'000'000.1234;
  made.is.all.components = {node("c1", "consumer", odd, "order"), node("c2", "consumer", "deaf"),
                            node("c3", "producer", ""), node("c4", "publisher", "news"),
                            node("c5", "producer", odd)};
  made.is.all.bindings = {{"c3", "c1", "", ""}, {"c3", "c2", "", ""}, {"c5", "c1", "", ""}};
  made.is.hosted = {"c1"};
  component_now orders;
  orders.is.id = "c1";
  orders.is.stats.name = odd;
  orders.is.stats.kind = "consumer";
  orders.is.stats.capacity = 8;
  orders.is.stats.counts.offered = 12;
  orders.is.stats.counts.failed = 2;
  orders.is.executor = "thread_pool 1";
  orders.is.breakers = {{odd, "open", 3}};
  orders.rates.offered = 3.14159;
  orders.rates.failed = 1;
  orders.wait.buckets[0] = 10;
  orders.handlers.push_back({.message = odd,
                             .handler = odd,
                             .calls = 3,
                             .running = 1,
                             .running_for = std::chrono::seconds(2),
                             .executor = "strand of thread_pool 1"});
  orders.is.last_error = failure_entry{1, 5, odd, odd, odd, odd, true};
  made.components.push_back(orders);
  made.is.silent = {{"thread_pool 1", std::chrono::seconds(3)}};
  made.is.failures = {*orders.is.last_error};
  letter_reading letter;
  letter.id = "1-1";
  letter.letter.reason = odd;
  letter.component = odd;
  made.is.letters.newest = {letter};
  made.is.links = {{odd, {.name = odd, .counts = {{"received", 1}}, .now = {{"in_flight", 0}}}}};
  return made;
}

const status_facts facts{odd, 1'600'000'000, std::chrono::seconds(1), true};

}  // namespace

TEST_CASE("a status says what was read, whatever bytes names hold", "[O3]") {
  const json all = json::parse(status_json(facts, shop(), {{"undrained", odd, odd, 7}}));
  const json& orders = all["components"][0];
  CHECK_THAT(orders["name"].get<std::string>(), contains("odd \"name\" \\ \n <b>"));
  CHECK(orders["rates"]["offered"] == 3.14);
  CHECK(orders["wait"]["p50"] == 5e-7);
  CHECK(orders["handle"] == nullptr);
  CHECK(all["stalled"][0]["since"] == 1'699'999'997.123);
  CHECK(all["stalled"][0]["running"][0]["seconds"] == 2);
  CHECK(all["dead_letters"]["letters"][0]["replayable"] == true);
  CHECK(all["nodes"][0]["hosted"] == true);
  CHECK(all["nodes"][1]["hosted"] == false);
  CHECK(all["warnings"][0]["since"] == 7);
}

TEST_CASE("edges say what their receiver was offered, and whether nobody receives") {
  const std::vector<edge_now> all = edges_of(shop());
  REQUIRE(all.size() == 4);
  CHECK(all[0].messages == std::vector<std::string>{"order"});
  CHECK(all[0].received);
  CHECK(all[0].shared);  // with the sender of the third
  CHECK(all[0].offered == 12);
  CHECK(all[0].failed == 2);
  CHECK(!all[1].received);  // it has no handler
  CHECK(!all[1].shared);
  CHECK(all[3].is.from == "c4");
  CHECK(all[3].is.to.empty());
  CHECK(!all[3].received);
}

TEST_CASE("an edge whose messages were all unrouted is received by nobody") {
  figures_now now = shop();
  now.components[0].rates.unrouted = now.components[0].rates.offered;
  CHECK(!edges_of(now)[0].received);
}

TEST_CASE("a picture has each component and edge, and no name in it is markup", "[O3]") {
  const std::string picture = graph_svg(shop());
  const auto many = [&](const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = picture.find(what); at != std::string::npos;
         at = picture.find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  CHECK(many("<g>") == 5);
  CHECK(many("class=\"edge\"") == 4);
  CHECK(many("stroke-dasharray") == 2);
  CHECK(many("<b>") == 0);
  CHECK(many("</script>") == 0);
  CHECK(many("stroke=\"#c62828\"") >= 1);
}

TEST_CASE("a picture of a circle ends, as does one of nothing") {
  figures_now now;
  now.is.all.components = {node("c1", "consumer", "a"), node("c2", "consumer", "b")};
  now.is.all.bindings = {{"c1", "c2", "", ""}, {"c2", "c1", "", ""}, {"c1", "c1", "", ""}};
  CHECK_THAT(graph_svg(now), contains("</svg>"));
  CHECK_THAT(graph_svg({}), contains("</svg>"));
}

TEST_CASE("ids are read from an object with a list of texts, and from nothing else") {
  CHECK(ids_in(R"({"ids":["1-2","x"]})") == std::vector<std::string>{"1-2", "x"});
  CHECK(ids_in(R"({"ids":[]})")->empty());
  for (const char* bad : {"", "[]", "{}", R"({"ids":"1"})", R"({"ids":[1]})", "{\"ids\":[\"1\"]"}) {
    CHECK(!ids_in(bad));
  }
  CHECK(!ids_in(std::string(5'000, '[')));
}

#ifdef MSGBUS_STATUS_SCHEMA
TEST_CASE("a status is what its schema says, as is the example of it", "[O3]") {
  CHECK(msgbus_test::run_with(MSGBUS_STATUS_SCHEMA " 2>&1",
                              status_json(facts, shop(), {{"undrained", odd, odd, 7}})) == 0);
  CHECK(msgbus_test::run_with(MSGBUS_STATUS_SCHEMA " 2>&1", status_json({}, {}, {})) == 0);
  CHECK(msgbus_test::run_with(MSGBUS_STATUS_SCHEMA " 2>&1", R"({"version":1})") != 0);
  std::string example;
  std::FILE* const file = std::fopen(MSGBUS_STATUS_EXAMPLE, "r");
  REQUIRE(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    example += static_cast<char>(c);
  }
  CHECK(std::fclose(file) == 0);
  CHECK(msgbus_test::run_with(MSGBUS_STATUS_SCHEMA " 2>&1", example) == 0);
}
#endif

}  // namespace status_test
