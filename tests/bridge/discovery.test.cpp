#include "bridge/discovery.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace discovery_test {

using msgbus::bridging::discovery_answer;
using msgbus::bridging::discovery_topics;
using msgbus::bridging::discovery_verb;
using msgbus::bridging::service_info;
using nlohmann::json;

namespace {

service_info users() {
  service_info all;
  all.name = "users";
  all.id = "X1";
  all.version = "1.2.3";
  all.description = "all about users";
  all.started = std::chrono::system_clock::time_point(std::chrono::seconds(1'000'000'000));
  all.endpoints.push_back(
      {"update", "users.update", "q", {4, 1, "no user 7", std::chrono::microseconds(10)}});
  return all;
}

}  // namespace

TEST_CASE("a service answers for all, for its name and for itself") {
  const auto topics = discovery_topics(discovery_verb::info, "users", "X1");
  CHECK(topics == std::vector<std::string>{"$SRV.INFO", "$SRV.INFO.users", "$SRV.INFO.users.X1"});
  CHECK(discovery_topics(discovery_verb::ping, "a", "b")[0] == "$SRV.PING");
  CHECK(discovery_topics(discovery_verb::stats, "a", "b")[0] == "$SRV.STATS");
}

TEST_CASE("the reply to a ping names the service") {
  const json answer = json::parse(discovery_answer(discovery_verb::ping, users()));
  CHECK(answer["type"] == "io.nats.micro.v1.ping_response");
  CHECK(answer["name"] == "users");
  CHECK(answer["id"] == "X1");
  CHECK(answer["version"] == "1.2.3");
  CHECK(answer["metadata"].is_object());
}

TEST_CASE("the reply to an info request lists the operations and their topics") {
  const json answer = json::parse(discovery_answer(discovery_verb::info, users()));
  CHECK(answer["type"] == "io.nats.micro.v1.info_response");
  CHECK(answer["description"] == "all about users");
  REQUIRE(answer["endpoints"].size() == 1);
  CHECK(answer["endpoints"][0]["name"] == "update");
  CHECK(answer["endpoints"][0]["subject"] == "users.update");
  CHECK(answer["endpoints"][0]["queue_group"] == "q");
}

TEST_CASE("a stats' answer says how it went") {
  const json answer = json::parse(discovery_answer(discovery_verb::stats, users()));
  CHECK(answer["type"] == "io.nats.micro.v1.stats_response");
  CHECK(answer["started"] == "2001-09-09T01:46:40Z");
  const json& endpoint = answer["endpoints"][0];
  CHECK(endpoint["num_requests"] == 4);
  CHECK(endpoint["num_errors"] == 1);
  CHECK(endpoint["last_error"] == "no user 7");
  CHECK(endpoint["processing_time"] == 10'000);
  CHECK(endpoint["average_processing_time"] == 2'500);
}

TEST_CASE("a service's name is made of its prefix") {
  CHECK(msgbus::bridging::service_name("shop.users") == "shop-users");
  CHECK(msgbus::bridging::is_service_name("shop-users_2"));
  CHECK_FALSE(msgbus::bridging::is_service_name("shop.users"));
  CHECK_FALSE(msgbus::bridging::is_service_name(""));
}

}  // namespace discovery_test
