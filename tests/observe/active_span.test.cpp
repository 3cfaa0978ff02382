#include "observe/active_span.hpp"

#include <msgbus/error.hpp>

#include "observe/message_span.hpp"
#include "support/catch.hpp"
#include "support/spans.hpp"
#include "support/stderr_of.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace active_span_test {

namespace detail = msgbus::detail;
using msgbus::sampler;
using msgbus::span_status;
using msgbus_test::kept_spans;
using msgbus_test::text_of;

namespace {

detail::shared_span begun(const std::shared_ptr<msgbus::tracer>& by) {
  const auto ids = detail::sampled_ids(*by, nullptr);
  const detail::message_span of{.kind = msgbus::span_kind::producer,
                                .operation = "send",
                                .destination = "order",
                                .component = "orders"};
  return detail::begin_span(by, detail::described(of, *ids), nullptr);
}

}  // namespace

TEST_CASE("a span of a message is called as OpenTelemetry's conventions ask for") {
  const auto spans = std::make_shared<kept_spans>();
  begun(spans)->end();
  const msgbus::span_data got = spans->at("send order");
  CHECK(text_of(got, "messaging.system") == "msgbus");
  CHECK(text_of(got, "messaging.operation.name") == "send");
  CHECK(text_of(got, "messaging.operation.type") == "send");
  CHECK(text_of(got, "messaging.destination.name") == "order");
  CHECK(text_of(got, "messaging.consumer.group.name") == "orders");
}

TEST_CASE("an exception makes a span an error, with its kind and its text") {
  const auto spans = std::make_shared<kept_spans>();
  const auto fail = [&](const auto& with) {
    begun(spans)->fail(std::make_exception_ptr(with));
    return spans->all().back();
  };
  const auto lost = fail(std::out_of_range("no user 7"));
  CHECK(lost.status == span_status::error);
  CHECK(lost.status_text == "no user 7");
  CHECK(text_of(lost, "error.type") == "std::out_of_range");
  CHECK(text_of(fail(msgbus::error(msgbus::errc::timed_out, "late")), "error.type") == "timed_out");
  CHECK(text_of(fail(7), "error.type") == "_OTHER");
}

TEST_CASE("a span that has recovered is no error") {
  const auto spans = std::make_shared<kept_spans>();
  const auto span = begun(spans);
  span->fail(std::make_exception_ptr(std::runtime_error("no disk")));
  span->recover();
  span->end();
  CHECK(spans->all()[0].status == span_status::unset);
  CHECK(text_of(spans->all()[0], "error.type").empty());
}

TEST_CASE("an exception of a tracer is a line on stderr") {
  struct throwing : msgbus::tracer {
    void ended(const msgbus::span_data&) override { throw std::runtime_error("no disk"); }
  };
  const std::string text =
      msgbus_test::stderr_of([] { begun(std::make_shared<throwing>())->end(); });
  CHECK(text.find("a tracer") != std::string::npos);
  CHECK(text.find("no disk") != std::string::npos);
}

TEST_CASE("messages with one id have one trace") {
  const kept_spans all;
  const auto first = detail::sampled_ids_for(all, "m-1");
  const auto second = detail::sampled_ids_for(all, "m-1");
  const auto other = detail::sampled_ids_for(all, "m-2");
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->trace_id == second->trace_id);
  CHECK(first->span_id != second->span_id);
  CHECK(first->trace_id != other->trace_id);
  CHECK_FALSE(detail::sampled_ids_for(kept_spans(sampler::never()), "m-1"));
}

TEST_CASE("the mark of a trace that is not sampled is no cause") {
  CHECK_FALSE(detail::is_marked_not_sampled());
  CHECK_FALSE(detail::cause_to_keep());
  const detail::cause_scope scope(&detail::not_sampled_mark);
  CHECK(detail::is_marked_not_sampled());
  CHECK_FALSE(detail::current_cause());
  CHECK_FALSE(msgbus::current_trace());
  CHECK(detail::cause_to_keep() == detail::not_sampled_origin());
}

}  // namespace active_span_test
