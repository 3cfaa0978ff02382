#include "transport/nats/consumer_config.hpp"

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>
#include <utility>
#include <vector>

namespace consumer_config_test {

using msgbus::nats::consumer_config;
using msgbus::nats::has_ack_wait;
using msgbus::nats::is_less_patient;
using msgbus::nats::misfits;
using msgbus::transport::pull_options;
using msgbus_test::contains;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

pull_options billing(std::string filter = {}) {
  return {.stream = "ORDERS", .durable = "billing", .filter = std::move(filter)};
}

// As a server gives it back.
json there(const json& changed = json::object()) {
  json config = consumer_config(billing());
  config.update(changed);
  return config;
}

}  // namespace

TEST_CASE("a consumer of one's own making serves") {
  CHECK(misfits(consumer_config(billing()), billing()).empty());
  CHECK(misfits(consumer_config(billing("orders.*")), billing("orders.*")).empty());
  CHECK(has_ack_wait(consumer_config(billing()), billing()));
}

TEST_CASE("fields that are their owner's affair keep no consumer from serving") {
  const std::vector<json> all = {{{"deliver_policy", "new"}},
                                 {{"deliver_policy", "by_start_sequence"}, {"opt_start_seq", 7}},
                                 {{"replay_policy", "original"}},
                                 {{"max_ack_pending", 1000}},
                                 {{"max_deliver", 20}},
                                 {{"max_waiting", 16}},
                                 {{"description", "made by its operator"}},
                                 {{"inactive_threshold", 1'000'000'000}},
                                 {{"num_replicas", 3}},
                                 {{"headers_only", false}},
                                 {{"max_batch", 0}},
                                 {{"max_batch", 1024}},
                                 {{"max_expires", 5'000'000'000}},
                                 {{"deliver_subject", ""}},
                                 {{"priority_groups", json::array()}},
                                 {{"filter_subject", ""}},
                                 {{"filter_subjects", json::array()}},
                                 {{"field_of_tomorrow", {{"a", 1}}}}};
  for (const json& each : all) {
    INFO(each.dump());
    CHECK(misfits(there(each), billing()).empty());
  }
  CHECK(misfits(there({{"filter_subjects", {"orders.*"}}}), billing("orders.*")).empty());
}

TEST_CASE("a field that keeps a consumer from serving is named, with what is there and needed") {
  const std::vector<std::pair<json, std::string>> all = {
      {{{"ack_policy", "none"}}, R"(ack_policy is "none", and must be "explicit")"},
      {{{"ack_policy", "all"}}, R"(ack_policy is "all", and must be "explicit")"},
      {{{"filter_subject", "a.*"}}, R"(filter_subject is "a.*", and must be empty)"},
      {{{"filter_subjects", {"a", "b"}}}, R"(filter_subject is ["a","b"], and must be empty)"},
      {{{"deliver_subject", "x"}}, R"(deliver_subject is "x", and must be absent)"},
      {{{"headers_only", true}}, "headers_only is true, and must be absent"},
      {{{"priority_groups", {"g"}}}, R"(priority_groups is ["g"], and must be absent)"},
      {{{"max_batch", 100}}, "max_batch is 100, and must be 1024 at least"},
      {{{"max_expires", 1'000'000'000}}, "max_expires is 1000000000, and must be 5000000000 at"}};
  for (const auto& [changed, text] : all) {
    INFO(changed.dump());
    CHECK_THAT(misfits(there(changed), billing()), contains(text));
  }
  CHECK(misfits(there(), billing("b")) == R"(filter_subject is "", and must be "b")");
  const std::string two = misfits(there({{"ack_policy", "none"}, {"max_batch", 1}}), billing());
  CHECK(two == R"(ack_policy is "none", and must be "explicit", )"
               "max_batch is 1, and must be 1024 at least");
}

TEST_CASE("another patience is the only thing that is changed") {
  const json config = there({{"deliver_policy", "new"}, {"ack_wait", 1}, {"of_tomorrow", 2}});
  CHECK_FALSE(has_ack_wait(config, billing()));
  json changed = msgbus::nats::with_ack_wait(config, billing());
  CHECK(changed["ack_wait"] == 30'000'000'000);
  changed["ack_wait"] = 1;
  CHECK(changed == config);
}

TEST_CASE("a server that delivers again sooner than is asked for is less patient") {
  CHECK_FALSE(is_less_patient(there(), billing()));
  CHECK_FALSE(is_less_patient(there({{"ack_wait", 60'000'000'000}}), billing()));
  CHECK(is_less_patient(there({{"ack_wait", 29'000'000'000}}), billing()));
  CHECK_FALSE(is_less_patient(there({{"backoff", {30'000'000'000, 60'000'000'000}}}), billing()));
  CHECK(is_less_patient(there({{"backoff", {1'000'000'000, 60'000'000'000}}}), billing()));
  CHECK(msgbus::nats::impatience(there({{"ack_wait", 5}}), billing()) ==
        "ack_wait is 5, and must be 30000000000 ns at least");
  CHECK(msgbus::nats::impatience(there({{"backoff", {5}}}), billing()) ==
        "backoff is [5], and must be 30000000000 ns at least");
}

}  // namespace consumer_config_test
