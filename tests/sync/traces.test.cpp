// Traces through several sync components, and what a tracer must not change.
// docs/design/0033-spans.md

#include <msgbus/sync/producer.hpp>

#include <msgbus/name_of.hpp>
#include <msgbus/sync/dead_letters.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/sync/subscriber.hpp>
#include <msgbus/trace.hpp>

#include "support/catch.hpp"
#include "support/recorder.hpp"
#include "support/spans.hpp"
#include "support/stderr_of.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace traces_test {

using msgbus::current_span;
using msgbus::current_trace;
using msgbus::sampler;
using msgbus::span_data;
using msgbus::span_status;
using msgbus::sync::consumer;
using msgbus::sync::producer;
using msgbus::sync::service;
using msgbus::sync::subscriber;
using msgbus_test::is_below;
using msgbus_test::kept_spans;
using msgbus_test::text_of;

namespace {

struct order {
  int id = 0;
};
struct parcel {
  int id = 0;
};

std::string of_order(const std::string& verb) {
  return verb + ' ' + std::string(msgbus::name_of<order>);
}
std::string of_parcel(const std::string& verb) {
  return verb + ' ' + std::string(msgbus::name_of<parcel>);
}

std::shared_ptr<kept_spans> tracing(sampler decides = sampler::parent_based(sampler::always())) {
  return std::make_shared<kept_spans>(decides);
}

bool is_replayed(const span_data& span) {
  const auto there = std::ranges::find(span.attributes, "msgbus.replayed", &msgbus::attribute::key);
  return there != span.attributes.end() && there->value == msgbus::attribute_value(true);
}

}  // namespace

TEST_CASE("messages of a handler are below its span, and its own spans join it", "[D5]") {
  const auto spans = tracing();
  consumer orders;
  consumer parcels;
  orders.trace(spans);
  parcels.trace(spans);
  orders.handler([&](const order&) {
    current_span().set("order", std::string("first"));
    const auto packing = current_span().child("packing");
    const msgbus::trace_scope scope(packing);
    parcels.consume(parcel{1});
  });
  parcels.handler([](const parcel&) {});
  const auto request = msgbus::start_span(spans, "request");
  {
    const msgbus::trace_scope scope(request);
    orders.consume(order{1});
  }
  CHECK(current_span().context() == std::nullopt);
  request.end();
  REQUIRE(spans->size() == 6);
  CHECK(is_below(spans->at(of_order("consume")), spans->at("request")));
  const span_data handled = spans->at(of_order("process"));
  CHECK(text_of(handled, "order") == "first");
  CHECK(is_below(handled, spans->at(of_order("consume"))));
  CHECK(is_below(spans->at("packing"), handled));
  CHECK(is_below(spans->at(of_parcel("consume")), spans->at("packing")));
  CHECK(is_below(spans->at(of_parcel("process")), spans->at(of_parcel("consume"))));
}

TEST_CASE("what a trace decides holds for all that its handlers send", "[O4]") {
  const auto never = tracing(sampler::parent_based(sampler::never()));
  const auto always = tracing(sampler::always());
  consumer orders;
  consumer parcels;
  service stock;
  orders.trace(never);
  parcels.trace(always);
  stock.trace(always);
  stock.handler("update", [] {});
  parcels.handler([](const parcel&) {});
  orders.handler([&](const order&) {
    CHECK_FALSE(current_trace());
    CHECK_FALSE(current_span().is_recording());
    parcels.consume(parcel{1});
    stock.execute("update");
  });
  orders.consume(order{1});
  CHECK(never->size() == 0);
  CHECK(always->size() == 0);
  parcels.consume(parcel{1});  // a trace of its own
  CHECK(always->size() == 2);
}

TEST_CASE("a trace that came unsampled goes on unchanged") {
  const auto spans = tracing();
  consumer orders;
  orders.trace(spans);
  const auto came = msgbus::trace_context::start(false);
  std::optional<msgbus::trace_context> seen;
  orders.handler([&](const order&) { seen = current_trace(); });
  const msgbus::trace_scope scope(came);
  orders.consume(order{1});
  CHECK(spans->size() == 0);
  CHECK(seen == came);
}

TEST_CASE("an observer hears the same with a tracer, and a tracer that has gone gets no more",
          "[O1]") {
  const auto spans = tracing();
  const auto heard = [&](bool traced) {
    const auto observer = std::make_shared<msgbus_test::recorder>();
    consumer orders;
    producer out;
    subscriber news;
    service stock;
    orders.observe(observer);
    out.observe(observer);
    news.observe(observer);
    stock.observe(observer);
    out.bind(orders);
    if (traced) {
      orders.trace(spans);
      out.trace(spans);
      news.trace(spans);
      stock.trace(spans);
    }
    orders.handler([](const order&) {});
    orders.handler([](const order&) { throw std::runtime_error("no"); });
    news.subscribe("a", [](const order&) {});
    stock.handler("update", [] {});
    CHECK_THROWS(out.dispatch(order{1}));
    CHECK(out.dispatch(parcel{1}) == 0);
    CHECK(news.receive(order{1}, "a") == 1);
    CHECK(news.receive(order{1}, "b") == 0);
    stock.execute("update");
    CHECK_THROWS(stock.execute("remove"));
    const std::size_t before = spans->size();
    orders.trace(nullptr);
    out.trace(nullptr);
    CHECK_THROWS(out.dispatch(order{1}));
    CHECK(spans->size() == before);
    CHECK(orders.unrouted() == 1);
    CHECK(out.unrouted() == 1);
    return observer->steps;
  };
  const auto without = heard(false);
  CHECK(spans->size() == 0);
  CHECK(heard(true) == without);
  CHECK(spans->size() == 10);
}

TEST_CASE("a tracer that throws breaks no dispatch", "[O1]") {
  struct failing : msgbus::tracer {
    void ended(const span_data&) override { throw std::runtime_error("no collector"); }
  };
  consumer orders;
  orders.trace(std::make_shared<failing>());
  orders.handler([](const order&) {});
  std::size_t ran = 0;
  const std::string text = msgbus_test::stderr_of([&] { ran = orders.consume(order{1}); });
  CHECK(ran == 1);
  CHECK(text.find("a tracer") != std::string::npos);
}

TEST_CASE("the span of a dead letter that is replayed says what it is", "[P8]") {
  const auto spans = tracing();
  const auto dead = std::make_shared<msgbus::sync::dead_letters>();
  consumer orders;
  orders.trace(spans);
  bool fails = true;
  orders.handler(
      [&](const order&) {
        if (fails) throw std::runtime_error("no");
      },
      {.dead_letters = dead});
  CHECK_THROWS(orders.consume(order{1}));
  fails = false;
  const auto request = msgbus::start_span(spans, "repair");
  {
    const msgbus::trace_scope scope(request);
    CHECK(dead->replay() == 1);
  }
  request.end();
  CHECK_FALSE(is_replayed(spans->at(of_order("process"), 0)));
  const span_data again = spans->at(of_order("process"), 1);
  CHECK(is_replayed(again));
  CHECK(again.status == span_status::unset);
  CHECK(is_below(again, spans->at("repair")));
}

TEST_CASE("threads have traces of their own, while a tracer comes and goes", "[D7]") {
  const auto spans = tracing();
  consumer orders;
  orders.handler([](const order&) {});
  {
    std::vector<std::jthread> all;
    for (int i = 0; i < 3; ++i) {
      all.emplace_back([&] {
        for (int each = 0; each < 200; ++each) orders.consume(order{each});
      });
    }
    for (int i = 0; i < 50; ++i) {
      orders.trace(spans);
      orders.trace(nullptr);
    }
    orders.trace(spans);
    orders.consume(order{1});
  }
  std::size_t roots = 0;
  for (const span_data& each : spans->all()) roots += each.is_root() ? 1 : 0;
  CHECK(roots >= 1);
  CHECK(spans->size() == 2 * roots);
}

}  // namespace traces_test
