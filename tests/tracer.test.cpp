#include <msgbus/tracer.hpp>

#include "support/catch.hpp"
#include "support/spans.hpp"

#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace tracer_test {

using msgbus::sampler;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus::start_span;
using msgbus::text_tracer;
using msgbus::trace_context;
using msgbus_test::kept_spans;
using namespace std::chrono_literals;

namespace {

std::size_t recorded(sampler decides, int traces) {
  const auto spans = std::make_shared<kept_spans>(decides);
  for (int i = 0; i < traces; ++i) start_span(spans, "a").end();
  return spans->size();
}

}  // namespace

TEST_CASE("a ratio is about that part of the traces, and 0 and 1 are none and all") {
  CHECK(recorded(sampler::always(), 100) == 100);
  CHECK(recorded(sampler::never(), 100) == 0);
  CHECK(recorded(sampler::ratio(1), 100) == 100);
  CHECK(recorded(sampler::ratio(0), 100) == 0);
  CHECK(recorded(sampler::ratio(-1), 100) == 0);
  const std::size_t quarter = recorded(sampler::ratio(0.25), 4'000);
  CHECK(quarter > 700);  // 1 000, and eleven standard deviations
  CHECK(quarter < 1'300);
}

TEST_CASE("a ratio decides all spans of a trace alike, by its id") {
  const sampler half = sampler::ratio(0.5);
  trace_context low = trace_context::start(false);
  low.trace_id[8] = 0x7f;
  trace_context high = low;
  high.trace_id[8] = 0x80;
  CHECK(half.samples_below(low));
  CHECK_FALSE(half.samples_below(high));
  const auto spans = std::make_shared<kept_spans>(half);
  for (int i = 0; i < 100; ++i) start_span(spans, "a").end();
  for (const span_data& each : spans->all()) {
    CHECK(each.context.trace_id[8] < 0x80);
    CHECK(half.samples_below(each.context));
  }
}

TEST_CASE("a sampler by the parent decides as that was decided") {
  const trace_context yes = trace_context::start(true);
  const trace_context no = trace_context::start(false);
  CHECK(sampler::parent_based(sampler::never()).samples_below(yes));
  CHECK_FALSE(sampler::parent_based(sampler::always()).samples_below(no));
  CHECK(sampler::always().samples_below(no));
  CHECK_FALSE(sampler::never().samples_below(yes));
  CHECK(recorded(sampler::parent_based(sampler::never()), 10) == 0);
  CHECK(recorded(sampler::parent_based(sampler::always()), 10) == 10);
}

TEST_CASE("a span is one line of text, whatever its names hold", "[O3]") {
  std::vector<std::string> lines;
  text_tracer to([&](std::string_view line) { lines.emplace_back(line); });
  span_data span{.name = "process order", .kind = span_kind::consumer};
  span.context = *trace_context::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.took = 1500us;
  to.ended(span);
  span.parent = span.context.span_id;
  span.took = 20ms;
  span.status = span_status::error;
  span.status_text = "no\ndisk";
  span.attributes = {{"a b", "\"\x1b\n"}, {"n", std::int64_t{-7}}, {"x", 0.5}, {"y", true}};
  to.ended(span);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] ==
        "span=\"process order\" kind=consumer took=1500us "
        "trace=4bf92f3577b34da6a3ce929d0e0e4736 id=00f067aa0ba902b7");
  CHECK(lines[1] ==
        "span=\"process order\" kind=consumer took=20ms "
        "trace=4bf92f3577b34da6a3ce929d0e0e4736 id=00f067aa0ba902b7 parent=00f067aa0ba902b7 "
        "status=error reason=\"no\\ndisk\" \"a b\"=\"\\\"\\x1b\\n\" n=-7 x=0.5 y=true");
  std::ostringstream out;
  out << span;
  CHECK(out.str() == lines[1]);
}

}  // namespace tracer_test
