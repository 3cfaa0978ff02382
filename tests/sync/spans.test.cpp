// The spans that a tracer gets of sync components. docs/design/0033-spans.md

#include <msgbus/sync/producer.hpp>

#include <msgbus/any_event.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/sync/publisher.hpp>
#include <msgbus/sync/service.hpp>
#include <msgbus/trace.hpp>

#include "support/catch.hpp"
#include "support/spans.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace spans_test {

using msgbus::current_span;
using msgbus::current_trace;
using msgbus::sampler;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus::sync::consumer;
using msgbus::sync::producer;
using msgbus::sync::publisher;
using msgbus::sync::service;
using msgbus::sync::subscriber;
using msgbus_test::is_below;
using msgbus_test::kept_spans;
using msgbus_test::text_of;
using names = std::vector<std::string>;

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
std::shared_ptr<kept_spans> tracing(sampler decides = sampler::parent_based(sampler::always())) {
  return std::make_shared<kept_spans>(decides);
}

}  // namespace

TEST_CASE("a consumed event has a span, and each handler one below it that ends with it", "[D1]") {
  const auto spans = tracing();
  consumer orders;
  orders.trace(spans);
  orders.handler([&](const order&) { CHECK(spans->size() == 0); });
  orders.handler([&](msgbus::any_event) { CHECK(spans->names() == names{of_order("process")}); });
  CHECK(orders.consume(order{1}) == 2);
  CHECK(spans->names() == names{of_order("process"), of_order("process"), of_order("consume")});
  const span_data verb = spans->at(of_order("consume"));
  CHECK(verb.kind == span_kind::producer);
  CHECK(verb.is_root());
  CHECK(text_of(verb, "messaging.destination.name") == msgbus::name_of<order>);
  for (const std::size_t place : {0U, 1U}) {
    const span_data each = spans->at(of_order("process"), place);
    CHECK(each.kind == span_kind::consumer);
    CHECK(each.status == span_status::unset);
    CHECK(is_below(each, verb));
    CHECK(each.links == std::vector{verb.context});
    CHECK_FALSE(text_of(each, "msgbus.handler").empty());
  }
  CHECK_FALSE(current_trace());
}

TEST_CASE("a dispatch has one span for all consumers, and a publish has its topic", "[D1]") {
  const auto spans = tracing();
  consumer first;
  consumer second;
  subscriber news;
  producer out;
  publisher press;
  first.trace(spans);
  second.trace(spans);
  news.trace(spans);
  out.trace(spans);
  press.trace(spans);
  out.bind(first, second);
  press.bind(news);
  first.handler([](const order&) {});
  second.handler([](const order&) {});
  news.subscribe("orders.*", [](const order&) {});
  CHECK(out.dispatch(order{1}) == 2);
  CHECK(press.publish(order{1}, "orders.placed") == 1);
  CHECK(spans->size() == 5);
  const span_data dispatched = spans->at(of_order("dispatch"));
  CHECK(is_below(spans->at(of_order("process"), 0), dispatched));
  CHECK(is_below(spans->at(of_order("process"), 1), dispatched));
  const span_data published = spans->at("publish orders.placed");
  CHECK(is_below(spans->at("process orders.placed"), published));
  CHECK(text_of(published, "messaging.destination.name") == "orders.placed");
}

TEST_CASE("without a tracer of the sender each traced component has a span of the verb") {
  const auto spans = tracing();
  consumer first;
  consumer second;
  consumer untraced;
  subscriber news;
  producer out;
  publisher press;
  first.trace(spans);
  second.trace(spans);
  news.trace(spans);
  out.bind(first, untraced, second);
  press.bind(news);
  first.handler([](const order&) {});
  second.handler([](const order&) {});
  untraced.handler([](const order&) { CHECK_FALSE(current_trace()); });
  news.subscribe("orders", [](const order&) {});
  CHECK(out.dispatch(order{1}) == 3);
  CHECK(press.publish(order{1}, "orders") == 1);
  CHECK(spans->size() == 6);
  for (const std::size_t place : {0U, 1U}) {
    CHECK(is_below(spans->at(of_order("process"), place), spans->at(of_order("dispatch"), place)));
  }
  CHECK(is_below(spans->at("process orders"), spans->at("publish orders")));
}

TEST_CASE("a traced sender is the parent of the messages of untraced consumers") {
  const auto spans = tracing();
  consumer orders;
  producer out;
  out.trace(spans);
  out.bind(orders);
  std::optional<msgbus::trace_context> seen;
  orders.handler([&](const order&) { seen = current_trace(); });
  out.dispatch(order{1});
  CHECK(spans->names() == names{of_order("dispatch")});
  CHECK(seen == spans->at(of_order("dispatch")).context);
}

TEST_CASE("a received message has a span, and a handler that does not take it has none", "[T6]") {
  const auto spans = tracing();
  subscriber news;
  news.trace(spans);
  news.subscribe("a.*", [](const order&) {});
  news.subscribe("*.b", [](const parcel&) {});
  CHECK(news.receive(order{1}, "a.b") == 1);
  CHECK(spans->names() == names{"process a.b", "receive a.b"});
  CHECK(is_below(spans->at("process a.b"), spans->at("receive a.b")));
  CHECK_THROWS(news.receive(5, "a.b"));
  const span_data refused = spans->at("receive a.b", 1);
  CHECK(spans->size() == 3);
  CHECK(refused.status == span_status::error);
  CHECK(text_of(refused, "error.type") == "type_mismatch");
}

TEST_CASE("a message that no subscriber takes is in the span of its publish", "[T6]") {
  const auto spans = tracing();
  subscriber news;
  publisher press;
  press.trace(spans);
  press.bind(news);
  news.subscribe("a", [](const order&) {});
  CHECK_THROWS(press.publish(5, "a"));
  CHECK(text_of(spans->at("publish a"), "error.type") == "type_mismatch");
}

TEST_CASE("a command has a client's and a server's span, by name and as a function", "[D3]") {
  const auto spans = tracing();
  service stock;
  stock.trace(spans);
  auto update = stock.handler("update", [](int) { return current_span().is_recording(); });
  CHECK(stock.execute<bool>("update", 1));
  CHECK(update(1));
  REQUIRE(spans->size() == 4);
  for (const std::size_t place : {0U, 1U}) {
    const span_data called = spans->at("execute update", place);
    const span_data served = spans->at("process update", place);
    CHECK(called.kind == span_kind::client);
    CHECK(served.kind == span_kind::server);
    CHECK(is_below(served, called));
  }
  CHECK_THROWS(stock.execute("remove"));
  CHECK(text_of(spans->at("execute remove"), "error.type") == "no_handler");
  CHECK_THROWS(stock.execute("update", std::string("no")));
  CHECK(spans->at("execute update", 2).status == span_status::error);
}

TEST_CASE("a failure is in the handler's span, and in that of the verb", "[D2]") {
  const auto spans = tracing();
  consumer orders;
  orders.trace(spans);
  orders.handler([](const order&) { throw std::out_of_range("no order"); });
  CHECK_THROWS_AS(orders.consume(order{1}), std::out_of_range);
  CHECK(spans->size() == 2);
  for (const span_data& each : spans->all()) {
    CHECK(each.status == span_status::error);
    CHECK(each.status_text == "no order");
    CHECK(text_of(each, "error.type") == "std::out_of_range");
  }
  orders.handler([](const order&) { throw std::runtime_error("nor that"); });
  CHECK_THROWS_AS(orders.consume(order{1}), msgbus::dispatch_error);
  CHECK(text_of(spans->at(of_order("consume"), 1), "error.type") == "handlers_failed");
  CHECK(spans->at(of_order("process"), 2).status_text == "nor that");
  CHECK_FALSE(current_trace());
}

TEST_CASE("a failed command is in both spans", "[D2]") {
  const auto spans = tracing();
  service stock;
  stock.trace(spans);
  stock.handler("update", [] { throw std::out_of_range("no stock"); });
  CHECK_THROWS_AS(stock.execute("update"), std::out_of_range);
  CHECK(spans->size() == 2);
  for (const span_data& each : spans->all()) CHECK(each.status_text == "no stock");
  CHECK_FALSE(current_trace());
}

TEST_CASE("a sync verb asks the sampler once, for its own span and those of its handlers", "[D1]") {
  const auto spans = tracing(sampler::parent_based(sampler::ratio(0.5)));
  consumer orders;
  producer sender;
  subscriber messages;
  publisher source;
  service numbers;
  sender.bind(orders);
  source.bind(messages);
  orders.handler([](const order&) {});
  messages.subscribe("orders", [](const order&) {});
  auto add = numbers.handler("add", [](int a) { return a; });
  const auto traced = [&](auto&... each) { (each.trace(spans), ...); };
  traced(orders, sender, messages, source, numbers);
  const auto sampled_of = [&](auto verb) {
    const std::size_t before = spans->size();
    for (int i = 0; i < 2000; ++i) verb(order{i});
    const std::size_t ended = spans->size() - before;
    CHECK(ended % 2 == 0);  // a verb and its handler, or neither
    return ended / 2;
  };
  // A half of them, give or take nine times the standard deviation.
  const auto is_half = [](std::size_t sampled) { return sampled > 800 && sampled < 1200; };
  CHECK(is_half(sampled_of([&](const order& event) { orders.consume(event); })));
  CHECK(is_half(sampled_of([&](const order& event) { sender.dispatch(event); })));
  CHECK(is_half(sampled_of([&](const order& event) { messages.receive(event, "orders"); })));
  CHECK(is_half(sampled_of([&](const order& event) { source.publish(event, "orders"); })));
  CHECK(is_half(sampled_of([&](const order& event) { add(event.id); })));
}

}  // namespace spans_test
