#include <msgbus/detail/bridge/make_envelope.hpp>

#include <msgbus/trace_context.hpp>

#include "support/catch.hpp"
#include "support/thrown.hpp"

#include <set>
#include <string>
#include <utility>

namespace make_envelope_test {

using msgbus::context;
using msgbus::envelope;
using msgbus::errc;
using msgbus::origin;
using msgbus::payload;
using msgbus::bridging::event_topic;
using msgbus::bridging::header_of;
using msgbus::bridging::id_source;
using msgbus::bridging::in_one_line;
using msgbus::bridging::make_envelope;
using msgbus::bridging::origin_of;

namespace {

const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

}  // namespace

TEST_CASE("ids differ, within one source and between sources") {
  id_source one;
  id_source other;
  std::set<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    all.insert(one.next());
    all.insert(other.next());
  }
  CHECK(all.size() == 2000);
  CHECK(all.begin()->size() <= 22);
}

TEST_CASE("a first message of a chain has its id, its type and its content type") {
  id_source ids;
  const envelope out = make_envelope(ids, "orders.placed", payload{"{}", "application/json"},
                                     "shop::order", msgbus::detail::no_context);
  CHECK(out.topic == "orders.placed");
  CHECK(out.payload == "{}");
  CHECK_FALSE(header_of(out, "Nats-Msg-Id").empty());
  CHECK(header_of(out, "Msgbus-Type") == "shop::order");
  CHECK(header_of(out, "Content-Type") == "application/json");
  CHECK(out.headers.size() == 3);
}

TEST_CASE("a message continues the chain of its cause") {
  id_source ids;
  const origin cause{
      .message_id = "m-2", .correlation_id = "m-1", .headers = {{"traceparent", trace}}};
  const envelope out =
      make_envelope(ids, "a", payload{"1", "application/json"}, "int", context::caused_by(&cause));
  CHECK(header_of(out, "Msgbus-Correlation-Id") == "m-1");
  CHECK(header_of(out, "Msgbus-Causation-Id") == "m-2");
  const std::string child(header_of(out, "traceparent"));
  CHECK(child.substr(0, 36) == trace.substr(0, 36));
  CHECK(child.substr(36, 16) != trace.substr(36, 16));
  CHECK(child.substr(52) == "-01");

  envelope received = out;
  const auto read = origin_of(ids, std::move(received.headers), 2);
  CHECK(read->message_id == header_of(out, "Nats-Msg-Id"));
  CHECK(read->correlation_id == "m-1");
  CHECK(read->causation_id == "m-2");
  CHECK(read->deliveries == 2);
  CHECK(read->headers == out.headers);
}

TEST_CASE("a message that is sent from a span has that span as its parent") {
  id_source ids;
  const auto span = msgbus::trace_context::parse(trace, "a=1");
  REQUIRE(span);
  const msgbus::trace_scope scope(*span);
  const context ctx = context::caused_by(msgbus::detail::current_origin());
  const envelope out = make_envelope(ids, "a", payload{"1", "application/json"}, "int", ctx);
  CHECK(header_of(out, "traceparent") == trace);
  CHECK(header_of(out, "tracestate") == "a=1");
  CHECK_FALSE(out.headers.contains("msgbus-span"));
  CHECK_FALSE(out.headers.contains("Msgbus-Causation-Id"));
  CHECK_FALSE(out.headers.contains("Msgbus-Correlation-Id"));
}

TEST_CASE("the first message of a chain names itself to those it leads to") {
  id_source ids;
  const origin cause{.message_id = "m-1"};
  const envelope out = make_envelope(ids, "a", payload{}, {}, context::caused_by(&cause));
  CHECK(header_of(out, "Msgbus-Correlation-Id") == "m-1");
  CHECK(header_of(out, "Msgbus-Causation-Id") == "m-1");
}

TEST_CASE("a message without headers gets an id, and nothing else is known of it") {
  id_source ids;
  const auto read = origin_of(ids, msgbus::headers{}, 1);
  CHECK_FALSE(read->message_id.empty());
  CHECK(read->correlation_id.empty());
  CHECK(read->causation_id.empty());
}

TEST_CASE("a text for a header is UTF-8 in one line, is not cut in a character, and says something",
          "[B6]") {
  CHECK(in_one_line("tea") == "tea");
  CHECK(in_one_line("two\r\nlines") == "two  lines");
  CHECK(in_one_line(std::string(1023, 'a') + "\xc3\xa4") == std::string(1023, 'a'));
  CHECK(in_one_line("\xff") == "\xef\xbf\xbd");
  for (const char* const each : {"", " ", " \t\r\n"}) CHECK(in_one_line(each) == "no text");
}

TEST_CASE("a trace goes on with its state, and is not passed on where it is invalid", "[B7]") {
  id_source ids;
  const auto sent = [&](std::string parent, std::string state) {
    const origin cause{
        .message_id = "m-1",
        .headers = {{"traceparent", std::move(parent)}, {"tracestate", std::move(state)}}};
    return make_envelope(ids, "a", payload{}, {}, context::caused_by(&cause));
  };
  CHECK(header_of(sent(trace, "shop=1,other=2"), "tracestate") == "shop=1,other=2");
  const envelope bad_state = sent(trace, "shop");
  CHECK_FALSE(header_of(bad_state, "traceparent").empty());
  CHECK_FALSE(bad_state.headers.contains("tracestate"));
  for (const char* const each : {"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                 "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"}) {
    INFO(each);
    const envelope bad_trace = sent(each, "shop=1");
    CHECK_FALSE(bad_trace.headers.contains("traceparent"));
    CHECK_FALSE(bad_trace.headers.contains("tracestate"));
  }
}

TEST_CASE("an event's topic is made of its name") {
  CHECK(event_topic("events", "shop.order-placed") == "events.shop.order-placed");
  CHECK(event_topic("events", "shop::created<shop::user>") == "events.shop.created.shop.user");
  CHECK(event_topic("a.b", "unsigned long") == "a.b.unsigned-long");
  CHECK(msgbus_test::code_of([] { (void)event_topic("*", "x"); }) == errc::invalid_topic);
}

}  // namespace make_envelope_test
