#include "nats/jetstream_json.hpp"

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jetstream_json_test {

using msgbus::errc;
using msgbus::nats::add_topics;
using msgbus::nats::check_answer;
using msgbus::nats::consumer_config;
using msgbus::nats::has_ack_wait;
using msgbus::nats::is_less_patient;
using msgbus::nats::misfits;
using msgbus::nats::read_stored;
using msgbus::nats::refusal_of;
using msgbus::nats::stream_config;
using msgbus::transport::pull_options;
using msgbus::transport::stored;
using msgbus::transport::stream_options;
using msgbus_test::code_of;
using msgbus_test::contains;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

pull_options billing(std::string filter = {}) {
  return {.stream = "ORDERS", .durable = "billing", .filter = std::move(filter)};
}

// A consumer's configuration, as a server returns it.
json there(const json& changed = json::object()) {
  json config = consumer_config(billing());
  config.update(changed);
  return config;
}

std::string read(std::string_view text) {
  stored into;
  if (!read_stored(text, into)) return "none";
  return into.stream + " " + std::to_string(into.sequence) + (into.duplicate ? " again" : "");
}

json refused(int err_code, std::string text) {
  json error;
  error["code"] = 400;
  error["err_code"] = err_code;
  error["description"] = std::move(text);
  json answer;
  answer["error"] = error;
  return answer;
}

}  // namespace

TEST_CASE("a consumer that msgbus has created is accepted") {
  CHECK(misfits(consumer_config(billing()), billing()).empty());
  CHECK(misfits(consumer_config(billing("orders.*")), billing("orders.*")).empty());
  CHECK(has_ack_wait(consumer_config(billing()), billing()));
}

TEST_CASE("a consumer is accepted with any values of fields that msgbus does not need") {
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

TEST_CASE(
    "an error names a field that makes a consumer unusable, with the present and the required "
    "value") {
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

TEST_CASE("only a different ack_wait is changed") {
  const json config = there({{"deliver_policy", "new"}, {"ack_wait", 1}, {"of_tomorrow", 2}});
  CHECK_FALSE(has_ack_wait(config, billing()));
  json changed = msgbus::nats::with_ack_wait(config, billing());
  CHECK(changed["ack_wait"] == 30'000'000'000);
  changed["ack_wait"] = 1;
  CHECK(changed == config);
}

TEST_CASE("a consumer that redelivers sooner than requested has a shorter ack_wait") {
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

TEST_CASE("the reply of a stream to a store is parsed") {
  CHECK(read(R"({"stream":"ORDERS","seq":7})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS", "seq":18446744073709551615})") ==
        "ORDERS 18446744073709551615");
  CHECK(read(R"({"seq":7,"stream":"ORDERS"})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"duplicate": true})") == "ORDERS 7 again");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"duplicate":false})") == "ORDERS 7");
  CHECK(read(" { \"stream\" : \"ORDERS\" ,\r\n\t\"seq\" : 7 } \n") == "ORDERS 7");
}

TEST_CASE("the reply of a stream is parsed with other fields and in other forms") {
  CHECK(read(R"({"stream":"ORDERS","domain":"hub","seq":7})") == "ORDERS 7");
  CHECK(read(R"({"stream":"ORDERS","seq":7,"more":{"seq":8,"stream":"OTHERS"},"list":[1,"a"]})") ==
        "ORDERS 7");
  CHECK(read(R"({"stream":"OR\u0044ERS","seq":7})") == "ORDERS 7");
  CHECK(read("{\"stream\":\"B\u00fcro\",\"seq\":7}") == "B\u00fcro 7");
  CHECK(read(R"({"stream":"ORDERS","seq":0})") == "ORDERS 0");
}

TEST_CASE("a reply of another kind is not parsed as that of a store") {
  for (const std::string_view each :
       {"",
        "{",
        "{}",
        "7",
        "null",
        "+OK",
        R"({"stream":"ORDERS"})",
        R"({"seq":7})",
        R"({"stream":"ORDERS","seq":7)",
        R"({"stream":"ORDERS","seq":7}})",
        R"({"stream":"ORDERS","seq":7}x)",
        R"({"stream":"ORDERS","seq":-7})",
        R"({"stream":"ORDERS","seq":7.5})",
        R"({"stream":"ORDERS","seq":07})",
        R"({"stream":"ORDERS","seq":"7"})",
        R"({"stream":7,"seq":7})",
        R"({"stream":"ORDERS","seq":18446744073709551616})",
        R"({"stream":"ORDERS","seq":7,})",
        R"({"stream":"ORDERS","seq":7,"duplicate":truely})",
        R"([{"stream":"ORDERS","seq":7}])",
        R"({"error":{"code":503,"description":"no"},"stream":"ORDERS","seq":0})",
        R"({"stream":"ORDERS","seq":7,"error":{"code":400}})",
        R"({"stream":"ORDERS" "seq":7})",
        R"({stream:"ORDERS",seq:7})"}) {
    INFO(each);
    CHECK(read(each) == "none");
  }
}

TEST_CASE("a reply with an error is a refusal, in each of its forms") {
  CHECK(refusal_of(json::object()).text.empty());
  CHECK(refusal_of(json("a text")).text.empty());
  const auto said = refusal_of(refused(10059, "stream not found"));
  CHECK(said.code == 400);
  CHECK(said.err_code == 10059);
  CHECK(said.text == "stream not found");
  json odd;
  odd["error"] = "no object";
  CHECK(refusal_of(odd).text == "\"no object\"");
  odd["error"] = json::object();
  odd["error"]["code"] = "no number";
  CHECK(refusal_of(odd).code == 0);
  CHECK(refusal_of(odd).text == R"({"code":"no number"})");
}

TEST_CASE("a refusal is an error that names the refused operation") {
  CHECK_NOTHROW(check_answer(json::object(), "stream 'S'"));
  CHECK(code_of([] { check_answer(refused(10076, "not enabled"), "x"); }) == errc::unsupported);
  CHECK(code_of([] { check_answer(refused(10039, "not for it"), "x"); }) == errc::unsupported);
  CHECK(code_of([] { check_answer(refused(1, "no"), "x"); }) == errc::transport_failed);
  CHECK_THROWS_AS(check_answer(refused(10054, "too large"), "x"),
                  msgbus::transport::message_refused);
  CHECK_THROWS_WITH(check_answer(refused(1, "no room"), "stream 'S'"),
                    contains("stream 'S': no room"));
}

TEST_CASE("message ids are remembered no longer than the messages of a stream") {
  stream_options wanted;
  wanted.name = "ORDERS";
  wanted.duplicate_window = 2min;
  CHECK(stream_config(wanted)["duplicate_window"] == 120'000'000'000);
  wanted.max_age = 1min;
  CHECK(stream_config(wanted)["duplicate_window"] == 60'000'000'000);
  CHECK(stream_config(wanted)["storage"] == "file");
}

TEST_CASE(
    "a stream gets the topics that none of its own covers, in place of those that they cover") {
  stream_options wanted;
  wanted.topics = {"orders.a", "orders.b", "bills.>"};
  json config = stream_config(wanted);
  const std::vector<std::string> there_already = {"orders.a", "bills.paid"};
  CHECK_FALSE(add_topics(config, there_already));
  CHECK(config == stream_config(wanted));
  const std::vector<std::string> wider = {"orders.*"};
  CHECK(add_topics(config, wider));
  CHECK(config["subjects"] == json(std::vector<std::string>{"bills.>", "orders.*"}));
}

}  // namespace jetstream_json_test
