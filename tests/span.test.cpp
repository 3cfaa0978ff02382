#include <msgbus/span.hpp>

#include <msgbus/tracer.hpp>

#include "support/catch.hpp"
#include "support/spans.hpp"

#include <memory>
#include <sstream>
#include <string>

namespace span_test {

using msgbus::current_span;
using msgbus::current_trace;
using msgbus::span;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus::start_span;
using msgbus::trace_scope;
using msgbus_test::is_below;
using msgbus_test::kept_spans;

TEST_CASE("a span of the program has the values that were set, and ends once") {
  const auto spans = std::make_shared<kept_spans>();
  const span request = start_span(spans, "GET /orders", span_kind::server);
  CHECK(request.is_recording());
  request.set("retries", std::int64_t{1});
  request.set("retries", std::int64_t{2});
  request.set("slow", true);
  request.fail("no disk");
  request.end();
  request.end();
  request.set("late", true);
  CHECK_FALSE(request.is_recording());
  REQUIRE(spans->size() == 1);
  const span_data got = spans->all()[0];
  CHECK(got.name == "GET /orders");
  CHECK(got.kind == span_kind::server);
  CHECK(got.is_root());
  CHECK(got.context == request.context());
  CHECK(got.status == span_status::error);
  CHECK(got.status_text == "no disk");
  CHECK(got.took >= got.took.zero());
  using all = std::vector<msgbus::attribute>;
  CHECK(got.attributes == all{{"retries", std::int64_t{2}}, {"slow", true}});
}

TEST_CASE("a span ends with its last handle, whatever still knows it as its cause") {
  const auto spans = std::make_shared<kept_spans>();
  {
    const span request = start_span(spans, "request");
    const trace_scope scope(request);
    {
      const span copy = request;
      const span seen = current_span();
      CHECK(seen.context() == request.context());
      seen.end();  // it is not the owner
    }
    CHECK(spans->size() == 0);
  }
  CHECK(spans->size() == 1);
  CHECK_FALSE(current_span().context());
}

TEST_CASE("a child has its parent's trace and tracer") {
  const auto spans = std::make_shared<kept_spans>();
  const span request = start_span(spans, "request");
  request.child("query", span_kind::client).end();
  {
    const trace_scope scope(request);
    start_span(spans, "inner").end();
    current_span().set("user", "Alice");
  }
  request.end();
  CHECK(spans->names() == std::vector<std::string>{"query", "inner", "request"});
  CHECK(is_below(spans->at("query"), spans->at("request")));
  CHECK(is_below(spans->at("inner"), spans->at("request")));
  CHECK(msgbus_test::text_of(spans->at("request"), "user") == "Alice");
}

TEST_CASE("a span below one of another process keeps its trace") {
  const auto spans = std::make_shared<kept_spans>();
  const auto there = msgbus::trace_context::start(true);
  start_span(spans, "request", span_kind::server, there).end();
  const span_data got = spans->at("request");
  CHECK(got.context.trace_id == there.trace_id);
  CHECK(got.parent == there.span_id);
  const auto not_sampled = msgbus::trace_context::start(false);
  CHECK_FALSE(start_span(spans, "request", span_kind::server, not_sampled).is_recording());
}

TEST_CASE("without a span nothing is recorded") {
  const span none;
  none.set("a", "b");
  none.fail("c");
  none.end();
  CHECK_FALSE(none.is_recording());
  CHECK_FALSE(none.context());
  CHECK_FALSE(none.child("d").is_recording());
  CHECK_FALSE(current_span().is_recording());
  CHECK_FALSE(start_span(nullptr, "e").is_recording());
  const trace_scope scope(none);
  CHECK_FALSE(current_trace());
}

TEST_CASE("below a span that is not sampled no trace begins") {
  const auto spans = std::make_shared<kept_spans>(msgbus::sampler::never());
  const auto others = std::make_shared<kept_spans>();
  const span request = start_span(spans, "request");
  CHECK_FALSE(request.is_recording());
  const trace_scope scope(request);
  CHECK_FALSE(start_span(others, "inner").is_recording());
  CHECK_FALSE(current_span().child("inner").is_recording());
}

TEST_CASE("a tracer that throws changes nothing") {
  struct throwing : msgbus::tracer {
    void ended(const span_data&) override { throw 1; }
  };
  start_span(std::make_shared<throwing>(), "request").end();
}

TEST_CASE("kinds and statuses are words") {
  std::ostringstream out;
  out << span_kind::consumer << ' ' << span_kind::internal << ' ' << span_status::error << ' '
      << span_status::unset << ' ' << span_status::ok;
  CHECK(out.str() == "consumer internal error unset ok");
}

TEST_CASE("an attribute is printed as in the line of its span") {
  CHECK(Catch::Detail::stringify(msgbus::attribute{"late", true}) == "late=true");
  CHECK(Catch::Detail::stringify(msgbus::attribute{"name", "two words"}) == R"(name="two words")");
}

}  // namespace span_test
