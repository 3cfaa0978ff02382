#include <msgbus/otlp_metrics.hpp>

#include <msgbus/error.hpp>

#include "otlp/otlp_json.hpp"
#include "support/catch.hpp"
#include "support/collector.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(MSGBUS_OTLP_METRICS_SCHEMA) || defined(MSGBUS_OTLP_DECODER)
#include "support/run_with.hpp"
#endif

namespace otlp_metrics_test {

using msgbus::metric_data;
using msgbus::metric_kind;
using msgbus::otlp_metrics;
using msgbus::otlp_metrics_options;
using msgbus_test::collector;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr auto program_began = std::chrono::system_clock::time_point(1'700'000'000s);
constexpr auto read_at = program_began + 5us;

/// One metric of each kind, with names that no format likes.
std::vector<metric_data> some(const std::string& name = "orders") {
  metric_data sent{.name = "messaging.client.sent.messages", .unit = "{message}"};
  sent.points = {{.attributes = {{"messaging.destination.name", name}},
                  .since = program_began,
                  .value = std::int64_t{3}}};
  metric_data waiting{.name = "msgbus.mailbox.messages", .kind = metric_kind::gauge};
  waiting.points = {
      {.value = std::int64_t{2}},
      {.attributes = {{"a", name}}, .value = std::numeric_limits<double>::infinity()}};
  metric_data took{.name = "messaging.process.duration", .unit = "s"};
  took.kind = metric_kind::histogram;
  took.bounds = {0.001, 0.01};
  took.points = {{.since = program_began, .value = 0.25, .buckets = {1, 0, 4}}};
  return {sent, waiting, took, {.name = "nothing"}};
}

otlp_metrics_options options_to(const collector& to) {
  otlp_metrics_options made;
  made.endpoint = to.endpoint();
  made.period = 1h;
  made.service = "shop";
  return made;
}

}  // namespace

TEST_CASE("metrics in OTLP's JSON are cumulative, with their begin, and 64 bits as texts") {
  const json body =
      json::parse(msgbus::otlp::request_body(some(), read_at, {{"service.name", "shop"}}));
  const json& program = body["resourceMetrics"][0];
  CHECK(program["resource"]["attributes"][0]["value"]["stringValue"] == "shop");
  const json& metrics = program["scopeMetrics"][0]["metrics"];
  REQUIRE(metrics.size() == 3);  // none without a point
  CHECK(metrics[0] == json::parse(R"({
    "name": "messaging.client.sent.messages", "description": "", "unit": "{message}",
    "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
      {"attributes": [{"key": "messaging.destination.name", "value": {"stringValue": "orders"}}],
       "startTimeUnixNano": "1700000000000000000", "timeUnixNano": "1700000000000005000",
       "asInt": "3"}]}})"));
  CHECK(metrics[1]["gauge"]["dataPoints"][0] ==
        json::parse(R"({"attributes": [], "timeUnixNano": "1700000000000005000", "asInt": "2"})"));
  CHECK(metrics[1]["gauge"]["dataPoints"][1]["asDouble"] == "Infinity");
  CHECK_FALSE(metrics[1]["gauge"].contains("aggregationTemporality"));
  CHECK(metrics[2]["histogram"] == json::parse(R"({"aggregationTemporality": 2, "dataPoints": [
      {"attributes": [], "startTimeUnixNano": "1700000000000000000",
       "timeUnixNano": "1700000000000005000", "count": "5", "sum": 0.25,
       "bucketCounts": ["1", "0", "4"], "explicitBounds": [0.001, 0.01]}]})"));
}

#ifdef MSGBUS_OTLP_METRICS_SCHEMA
TEST_CASE("a request with metrics fits OTLP's schema, whatever bytes its names hold", "[O3]") {
  const auto odd = some("odd \"name\" \\ \n \xff \xe2\x80\xa8");
  const std::string body = msgbus::otlp::request_body(odd, read_at, {{"service.name", "\xfe"}});
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_METRICS_SCHEMA, body) == 0);
  json wrong = json::parse(body);
  wrong["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0]["asInt"] = 3;
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_METRICS_SCHEMA " 2>&1", wrong.dump()) != 0);
}
#endif

#ifdef MSGBUS_OTLP_DECODER
TEST_CASE("OpenTelemetry's own types know all of a request with metrics", "[O3]") {
  const auto odd = some("odd \"name\" \\ \n \xff \xe2\x80\xa8");
  const std::string body = msgbus::otlp::request_body(odd, read_at, {{"service.name", "\xfe"}});
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_DECODER " Metrics", body) == 0);
  json unknown = json::parse(body);
  unknown["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["total"] = 3;
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_DECODER " Metrics 2>/dev/null", unknown.dump()) != 0);
}
#endif

TEST_CASE("metrics come to a collector when they are asked for, and at the end") {
  constexpr auto for_ever = std::chrono::steady_clock::duration::max();
  collector to;
  otlp_metrics_options options = options_to(to);
  options.period = for_ever;
  options.linger = for_ever;
  options.request_headers = {{"authorization", "Bearer t"}};
  {
    otlp_metrics sent([] { return some(); }, options);
    REQUIRE(sent.flush(for_ever));
    CHECK(sent.stats().exported == 1);
    CHECK(sent.stats().failures == 0);
    to.set(200, R"({"partialSuccess": {"rejectedDataPoints": "2"}})");
    REQUIRE(sent.flush(10s));
    CHECK(sent.stats().refused == 2);
  }
  REQUIRE(to.requests.size() == 3);
  CHECK(to.requests[0].path == "/v1/metrics");
  CHECK(to.requests[0].get_header_value("content-type") == "application/json");
  CHECK(to.requests[0].get_header_value("authorization") == "Bearer t");
  CHECK(
      json::parse(to.requests[2].body)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].size() ==
      3);
}

TEST_CASE("metrics are sent in each period") {
  collector to;
  otlp_metrics_options options = options_to(to);
  options.period = 1ms;
  const otlp_metrics sent([] { return some(); }, options);
  to.wait_for_request(3);
}

TEST_CASE("a collector that refuses metrics gets them again in the next request, and not before") {
  collector to;
  std::atomic<int> reads{0};
  otlp_metrics sent(
      [&] {
        ++reads;
        return some();
      },
      options_to(to));
  to.set(503);
  CHECK_FALSE(sent.flush(10s));
  CHECK(sent.stats().failures == 1);
  to.set(200);
  CHECK(sent.flush(10s));
  CHECK(reads == 2);
  CHECK(sent.stats().exported == 1);
}

TEST_CASE("a dead or slow collector holds up no reader and no destructor", "[O1]") {
  otlp_metrics_options dead;
  dead.endpoint = "http://127.0.0.1:1";  // nobody listens
  dead.linger = 1ms;
  CHECK_FALSE(otlp_metrics([] { return some(); }, dead).flush(10s));
  collector to;
  to.be_slow();
  otlp_metrics_options options = options_to(to);
  options.timeout = 1h;
  options.linger = 1ms;
  auto sent = std::make_unique<otlp_metrics>([] { return some(); }, options);
  CHECK_FALSE(sent->flush(1ms));
  to.wait_for_request();
  sent.reset();  // gives up the request under way
}

TEST_CASE("a source that throws is a failure, and the next request is sent") {
  collector to;
  bool throws = true;
  otlp_metrics sent(
      [&] {
        if (std::exchange(throws, false)) throw std::runtime_error("no");
        return some();
      },
      options_to(to));
  CHECK_FALSE(sent.flush(10s));
  CHECK(sent.stats().failures == 1);
  CHECK(sent.flush(10s));
  std::ostringstream out;
  out << sent.stats();
  CHECK(out.str().find("exported") != std::string::npos);
}

TEST_CASE("metrics need an endpoint, a source and a period") {
  const auto code = [](otlp_metrics::source from, const auto& change) {
    otlp_metrics_options options;
    change(options);
    return msgbus_test::code_of([&] { otlp_metrics made(std::move(from), options); });
  };
  const otlp_metrics::source from = [] { return some(); };
  CHECK(code(from, [](auto& options) { options.endpoint = "localhost"; }) ==
        msgbus::errc::bad_arguments);
  CHECK(code(from, [](auto& options) { options.period = 0s; }) == msgbus::errc::bad_arguments);
  CHECK(code(nullptr, [](auto&) {}) == msgbus::errc::bad_arguments);
}

}  // namespace otlp_metrics_test
