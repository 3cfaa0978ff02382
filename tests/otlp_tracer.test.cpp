#include <msgbus/otlp_tracer.hpp>

#include <msgbus/error.hpp>

#include "otlp/otlp_json.hpp"
#include "support/catch.hpp"
#include "support/collector.hpp"
#include "support/thrown.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(MSGBUS_OTLP_SCHEMA) || defined(MSGBUS_OTLP_DECODER)
#include "support/run_with.hpp"
#endif

namespace otlp_tracer_test {

using msgbus::otlp_counters;
using msgbus::otlp_options;
using msgbus::otlp_tracer;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus::trace_context;
using msgbus_test::collector;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

span_data sample_span(std::string name = "process order") {
  span_data span{.name = std::move(name), .kind = span_kind::consumer};
  span.context = *trace_context::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.began = std::chrono::system_clock::time_point(1'700'000'000s + 5us);
  span.took = 1500us;
  return span;
}

/// A span with all that one may have, and what no format likes.
span_data odd_span() {
  span_data span = sample_span("odd \"name\" \\ \n \xff \xe2\x80\xa8");
  span.context.state = "a=b";
  span.parent = {1, 2, 3, 4, 5, 6, 7, 8};
  span.links = {span.context};
  span.status = span_status::error;
  span.status_text = "no\ndisk";
  span.attributes = {{"text", "\xfe"},
                     {"flag", true},
                     {"number", std::numeric_limits<std::int64_t>::min()},
                     {"real", 0.5},
                     {"none", std::numeric_limits<double>::quiet_NaN()},
                     {"all", std::numeric_limits<double>::infinity()}};
  return span;
}

otlp_options options_to(const collector& to) {
  otlp_options made;
  made.endpoint = to.endpoint();
  made.delay = 1h;
  made.service = "shop";
  return made;
}

}  // namespace

TEST_CASE("spans in OTLP's JSON have ids in hex, and 64 bits as texts") {
  const std::vector<span_data> spans{odd_span()};
  const json body = json::parse(msgbus::otlp::request_body(spans, {{"service.name", "shop"}}));
  const json& program = body["resourceSpans"][0];
  CHECK(program["resource"]["attributes"][0] ==
        json::parse(R"({"key": "service.name", "value": {"stringValue": "shop"}})"));
  CHECK(program["scopeSpans"][0]["scope"]["name"] == "msgbus");
  const json& span = program["scopeSpans"][0]["spans"][0];
  CHECK(span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(span["spanId"] == "00f067aa0ba902b7");
  CHECK(span["parentSpanId"] == "0102030405060708");
  CHECK(span["traceState"] == "a=b");
  CHECK(span["flags"] == 1);
  CHECK(span["kind"] == 5);
  CHECK(span["startTimeUnixNano"] == "1700000000000005000");
  CHECK(span["endTimeUnixNano"] == "1700000000001505000");
  CHECK(span["status"] == json::parse(R"({"code": 2, "message": "no\ndisk"})"));
  CHECK(span["links"][0]["traceId"] == span["traceId"]);
  std::vector<std::string> values;
  for (const json& each : span["attributes"]) values.push_back(each["value"].dump());
  CHECK(values ==
        std::vector<std::string>{"{\"stringValue\":\"\xef\xbf\xbd\"}", R"({"boolValue":true})",
                                 R"({"intValue":"-9223372036854775808"})", R"({"doubleValue":0.5})",
                                 R"({"doubleValue":"NaN"})", R"({"doubleValue":"Infinity"})"});
}

#ifdef MSGBUS_OTLP_SCHEMA
TEST_CASE("a request fits OTLP's schema, whatever bytes its spans hold", "[O3]") {
  const std::vector<span_data> spans{odd_span(), sample_span()};
  const std::string body = msgbus::otlp::request_body(spans, {{"service.name", "shop"}});
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_SCHEMA, body) == 0);
  json wrong = json::parse(body);
  wrong["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["startTimeUnixNano"] = 5;
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_SCHEMA " 2>&1", wrong.dump()) != 0);
}
#endif

#ifdef MSGBUS_OTLP_DECODER
TEST_CASE("OpenTelemetry's own types know all of a request with spans", "[O3]") {
  const std::vector<span_data> spans{odd_span(), sample_span()};
  const std::string body = msgbus::otlp::request_body(spans, {{"service.name", "shop"}});
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_DECODER " Trace", body) == 0);
  json unknown = json::parse(body);
  unknown["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["began"] = "5";
  CHECK(msgbus_test::run_with(MSGBUS_OTLP_DECODER " Trace 2>/dev/null", unknown.dump()) != 0);
}
#endif

TEST_CASE("the number of spans that a collector refused of a request is known") {
  CHECK(msgbus::otlp::refused_in(R"({"partialSuccess": {"rejectedSpans": "3"}})") == 3);
  CHECK(msgbus::otlp::refused_in(R"({"partialSuccess": {"rejectedSpans": 2}})") == 2);
  CHECK(msgbus::otlp::refused_in(R"({"partialSuccess": {"rejectedDataPoints": "4"}})") == 4);
  for (const char* other : {"", "{}", "[]", "no json", R"({"partialSuccess": {}})",
                            R"({"partialSuccess": {"rejectedSpans": "x"}})"}) {
    CHECK(msgbus::otlp::refused_in(other) == 0);
  }
}

TEST_CASE("spans come to a collector, many in one request, with its headers") {
  collector to;
  otlp_options options = options_to(to);
  options.request_headers = {{"authorization", "Bearer t"}};
  options.batch = 3;
  otlp_tracer spans(options);
  for (int i = 0; i < 7; ++i) spans.ended(sample_span());
  REQUIRE(spans.flush(std::chrono::steady_clock::duration::max()));
  CHECK(to.accepted == 7);
  CHECK(to.requests.size() >= 3);
  CHECK(to.requests[0].get_header_value("content-type") == "application/json");
  CHECK(to.requests[0].get_header_value("authorization") == "Bearer t");
  const otlp_counters now = spans.stats();
  CHECK(now.ended == 7);
  CHECK(now.exported == 7);
  CHECK(now.dropped == 0);
  CHECK(now.waiting == 0);
}

TEST_CASE("a full batch and one that waits for long are sent without a flush") {
  collector to;
  otlp_options options = options_to(to);
  const bool is_full = GENERATE(true, false);
  options.batch = is_full ? 1 : 100;
  options.delay = is_full ? options.delay : 1ms;
  otlp_tracer spans(options);
  spans.ended(sample_span());
  to.wait_for_request();
}

TEST_CASE("the destructor sends waiting spans") {
  collector to;
  otlp_options options = options_to(to);
  options.linger = 1min;
  {
    otlp_tracer(options).ended(sample_span());
  }
  CHECK(to.accepted == 1);
}

TEST_CASE("a dead collector holds up nothing, and lost spans are counted") {
  otlp_options options;
  options.endpoint = "http://127.0.0.1:1";  // nobody listens
  options.capacity = 4;
  options.linger = 1ms;
  otlp_tracer spans(options);
  for (int i = 0; i < 10; ++i) spans.ended(sample_span());
  CHECK_FALSE(spans.flush(1ms));
  const otlp_counters now = spans.stats();
  CHECK(now.ended == 10);
  CHECK(now.dropped == 6);
  CHECK(now.waiting == 4);
  CHECK(now.exported == 0);
}

TEST_CASE("a slow collector holds up no handler and no destructor") {
  collector to;
  to.be_slow();
  otlp_options options = options_to(to);
  options.capacity = 2;
  options.batch = 1;
  options.timeout = 1h;
  options.linger = 1ms;
  auto spans = std::make_unique<otlp_tracer>(options);
  for (int i = 0; i < 10; ++i) spans->ended(sample_span());
  to.wait_for_request();
  CHECK_FALSE(spans->flush(1ms));
  CHECK(spans->stats().dropped == 8);
  spans.reset();  // gives up the request under way
  CHECK(to.accepted == 0);
}

TEST_CASE("a request is repeated while the collector is busy, and not if it is refused") {
  collector to;
  otlp_tracer spans(options_to(to));
  to.set(503);
  spans.ended(sample_span());
  CHECK_FALSE(spans.flush(1ms));
  to.wait_for_request();
  to.set(200);
  REQUIRE(spans.flush(10s));
  CHECK(spans.stats().exported == 1);
  CHECK(spans.stats().failures >= 1);
  to.set(400);
  spans.ended(sample_span());
  REQUIRE(spans.flush(10s));
  CHECK(spans.stats().dropped == 1);
  to.set(200, R"({"partialSuccess": {"rejectedSpans": "1"}})");
  spans.ended(sample_span());
  spans.ended(sample_span());
  REQUIRE(spans.flush(10s));
  CHECK(spans.stats().dropped + spans.stats().exported == 4);
  CHECK(spans.stats().dropped >= 2);
}

TEST_CASE("many threads may end spans, and each is exported or counted as dropped") {
  collector to;
  otlp_options options = options_to(to);
  options.capacity = 100;
  options.batch = 10;
  otlp_tracer spans(options);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) spans.ended(sample_span());
    });
  }
  for (std::thread& each : threads) each.join();
  REQUIRE(spans.flush(20s));
  const otlp_counters now = spans.stats();
  CHECK(now.ended == 800);
  CHECK(now.exported + now.dropped == 800);
  CHECK(to.accepted == now.exported);
}

TEST_CASE("an endpoint that is no URL, and no capacity, are refused") {
  for (const char* wrong : {"", "localhost:4318", "ftp://localhost", "http://"}) {
    otlp_options options;
    options.endpoint = wrong;
    CHECK(msgbus_test::code_of([&] { otlp_tracer spans(options); }) == msgbus::errc::bad_arguments);
  }
  otlp_options none;
  none.capacity = 0;
  CHECK(msgbus_test::code_of([&] { otlp_tracer spans(none); }) == msgbus::errc::bad_arguments);
}

}  // namespace otlp_tracer_test
