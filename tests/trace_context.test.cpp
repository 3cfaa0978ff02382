#include <msgbus/trace_context.hpp>

#include <msgbus/context.hpp>

#include "support/catch.hpp"

#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace trace_context_test {

using msgbus::context;
using msgbus::current_trace;
using msgbus::origin;
using msgbus::trace_context;
using msgbus::trace_scope;

namespace {

const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string span = "00f067aa0ba902b7";
const std::string parent = "00-" + trace + "-" + span + "-01";

std::string parsed(const std::string& text) {
  const auto found = trace_context::parse(text);
  return found ? found->traceparent() : "none";
}
std::string state_of(const std::string& state) {
  const auto found = trace_context::parse(parent, state);
  REQUIRE(found);
  return found->state;
}

}  // namespace

TEST_CASE("a traceparent is read, and is written as it was", "[B7]") {
  const auto found = trace_context::parse(parent);
  REQUIRE(found);
  CHECK(found->trace_id.front() == 0x4b);
  CHECK(found->trace_id.back() == 0x36);
  CHECK(found->span_id[1] == 0xf0);
  CHECK(found->sampled);
  CHECK(found->state.empty());
  CHECK(found->traceparent() == parent);
  std::ostringstream text;
  text << *found;
  CHECK(text.str() == parent);
  CHECK(parsed("00-" + trace + "-" + span + "-00") == "00-" + trace + "-" + span + "-00");
}

TEST_CASE("of a later version and of other flags the known parts are read", "[B7]") {
  CHECK(parsed(" \t" + parent + " ") == parent);
  CHECK(parsed("cc-" + trace + "-" + span + "-03") == parent);
  CHECK(parsed("cc-" + trace + "-" + span + "-01-and-more") == parent);
  CHECK(parsed("00-" + trace + "-" + span + "-02") == "00-" + trace + "-" + span + "-00");
}

TEST_CASE("an invalid traceparent is none", "[B7]") {
  const std::string zeros(32, '0');
  for (const std::string& each :
       {std::string(), std::string("00"), parent + "-", parent + "-x", parent.substr(0, 54),
        "ff" + parent.substr(2), "0g" + parent.substr(2), "FF" + parent.substr(2),
        "00-" + zeros + "-" + span + "-01", "00-" + trace + "-" + zeros.substr(16) + "-01",
        "00-" + trace + "_" + span + "-01", "00_" + trace + "-" + span + "-01",
        "00-" + trace + "-" + span + "_01", "00-" + trace + "-" + span + "-0g",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01", "cc-" + trace + "-" + span + "-01x",
        "00- " + trace.substr(1) + "-" + span + "-01", parent + std::string(1, '\0')}) {
    INFO(each);
    CHECK(parsed(each) == "none");
  }
}

TEST_CASE("a tracestate is kept as it is, or left out", "[B7]") {
  CHECK(state_of("congo=t61rcWkgMzE") == "congo=t61rcWkgMzE");
  CHECK(state_of("rojo=1, tenant@vendor=2 ,,") == "rojo=1, tenant@vendor=2 ,,");
  CHECK(state_of("").empty());
  CHECK(state_of("a=1,a=2").empty());
  CHECK(state_of("A=1").empty());
  CHECK(state_of("a=b=c").empty());
  std::string many = "k0=1";
  for (int i = 1; i < 32; ++i) many += ",k" + std::to_string(i) + "=1";
  CHECK(state_of(many) == many);
  CHECK(state_of(many + ",k32=1").empty());
}

TEST_CASE("a new trace and each child have ids of their own", "[B7]") {
  std::set<std::string> all;
  const trace_context first = trace_context::start(true);
  CHECK(trace_context::parse(first.traceparent()) == first);
  for (int i = 0; i < 1'000; ++i) {
    const trace_context child = first.child();
    CHECK(child.trace_id == first.trace_id);
    CHECK(child.sampled);
    all.insert(child.traceparent());
    all.insert(trace_context::start(false).traceparent());
  }
  CHECK(all.size() == 2'000);
}

TEST_CASE("a child keeps the state of its trace", "[B7]") {
  const auto found = trace_context::parse(parent, "a=1");
  REQUIRE(found);
  CHECK(found->child().state == "a=1");
}

TEST_CASE("the trace of a message is that of its headers, or of the message that led to it") {
  const origin from{.message_id = "m", .headers = {{"traceparent", parent}, {"tracestate", "a=1"}}};
  const auto own = trace_context::of(context({}, from));
  REQUIRE(own);
  CHECK(own->traceparent() == parent);
  CHECK(own->state == "a=1");
  CHECK(trace_context::of(context::caused_by(&from)) == own);
  CHECK_FALSE(trace_context::of(context()));
  const origin without{.message_id = "m"};
  CHECK_FALSE(trace_context::of(context({}, without)));
}

TEST_CASE("a scope is the current trace of its thread, and keeps whose message is handled") {
  CHECK_FALSE(current_trace());
  const auto outer = trace_context::parse(parent, "a=1");
  REQUIRE(outer);
  {
    const trace_scope scope(*outer);
    CHECK(current_trace() == outer);
    const trace_context inner = outer->child();
    {
      const trace_scope again(inner);
      CHECK(current_trace() == inner);
    }
    CHECK(current_trace() == outer);
  }
  CHECK_FALSE(current_trace());
  const auto handled = std::make_shared<const origin>(
      origin{.message_id = "m-2", .correlation_id = "m-1", .headers = {{"traceparent", parent}}});
  const msgbus::detail::cause_scope handling(&handled);
  const trace_scope scope(trace_context::start(true));
  const origin* const now = msgbus::detail::current_origin();
  REQUIRE(now);
  CHECK(now->message_id == "m-2");
  CHECK(now->correlation_id == "m-1");
}

}  // namespace trace_context_test
