// The spans that a tracer gets of components. docs/design/0033-spans.md

#include <msgbus/async/consumer.hpp>

#include <msgbus/async/dead_letters.hpp>
#include <msgbus/async/host.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/name_of.hpp>
#include <msgbus/sync/consumer.hpp>
#include <msgbus/testing/spawned.hpp>

#include "async/traced.hpp"
#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/spans.hpp"
#include "support/stderr_of.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/thread_pool.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace spans_test {

using asio::awaitable;
using msgbus::current_span;
using msgbus::current_trace;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::span_status;
using msgbus::trace_context;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::hop;
using msgbus_test::is_below;
using msgbus_test::kept_spans;
using msgbus_test::text_of;
using namespace msgbus_test::tracing;

TEST_CASE("a posted message has a span, and each handler one below it") {
  traced all;
  all.orders.handler([](const order&) {});
  all.orders.handler([](const order&) -> awaitable<void> { co_await hop(2); });
  CHECK(all.orders.post(order{1}).admitted == 1);
  CHECK(all.spans->names() == std::vector<std::string>{send_order});
  all.io.run();
  REQUIRE(all.spans->size() == 3);
  const span_data sent = all.spans->at(send_order);
  CHECK(sent.kind == span_kind::producer);
  CHECK(sent.is_root());
  for (std::size_t i = 0; i < 2; ++i) {
    const span_data handled = all.spans->at(process_order, i);
    CHECK(handled.kind == span_kind::consumer);
    CHECK(is_below(handled, sent));
    CHECK(handled.links == std::vector<trace_context>{sent.context});
    CHECK(handled.status == span_status::unset);
    CHECK_FALSE(text_of(handled, "msgbus.handler").empty());
  }
}

TEST_CASE("messages of a handler are below its span, in a suspended coroutine too") {
  traced all;
  trace_context seen;
  all.parcels.handler([](const parcel&) {});
  all.orders.handler([&](const order&) { (void)all.parcels.post(parcel{1}); });
  all.orders.handler([&](const order&) -> awaitable<void> {
    co_await hop(3);
    current_span().set("late", true);
    seen = current_trace().value();
    (void)all.parcels.post(parcel{2});
  });
  (void)all.orders.post(order{1});
  all.io.run();
  const auto plain = all.spans->at(process_order, 0);
  const auto coroutine = all.spans->at(process_order, 1);
  CHECK(seen == coroutine.context);
  CHECK(coroutine.attributes.back() == msgbus::attribute{"late", true});
  const std::string send_parcel = "send " + std::string(msgbus::name_of<parcel>);
  CHECK(is_below(all.spans->at(send_parcel, 0), plain));
  CHECK(is_below(all.spans->at(send_parcel, 1), coroutine));
  CHECK(is_below(all.spans->at(process_parcel, 1), all.spans->at(send_parcel, 1)));
  CHECK_FALSE(current_trace());
}

TEST_CASE("a sync component joins the trace of a coroutine, and its messages go on in it") {
  traced all;
  msgbus::sync::consumer audit;
  audit.trace(all.spans);
  audit.handler([&](const parcel&) { (void)all.parcels.post(parcel{2}); });
  all.orders.handler([&](const order&) -> awaitable<void> {
    co_await hop();
    audit.consume(parcel{1});
  });
  all.parcels.handler([](const parcel&) {});
  (void)all.orders.post(order{1});
  all.io.run();
  const std::string of_parcel(msgbus::name_of<parcel>);
  const span_data consumed = all.spans->at("consume " + of_parcel);
  const span_data audited = all.spans->at(process_parcel, 0);
  const span_data sent = all.spans->at("send " + of_parcel);
  CHECK(all.spans->size() == 6);
  CHECK(is_below(consumed, all.spans->at(process_order)));
  CHECK(is_below(audited, consumed));
  CHECK(is_below(sent, audited));
  CHECK(is_below(all.spans->at(process_parcel, 1), sent));
}

TEST_CASE("an awaited verb has a span that ends with it, and handlers are below it") {
  traced all;
  const bool suspends = GENERATE(false, true);
  std::vector<trace_context> seen;
  const auto note = [&] { seen.push_back(current_trace().value()); };
  if (suspends) {
    all.orders.handler([&](const order&) -> awaitable<void> {
      co_await hop(2);
      note();
    });
  } else {
    all.orders.handler([&](const order&) { note(); });
  }
  all.run([](traced& of) -> awaitable<void> {
    co_await of.orders.consume<order>(1);
    CHECK(of.spans->size() == 2);
  }(all));
  const auto verb = all.spans->at("consume " + std::string(msgbus::name_of<order>));
  CHECK(verb.kind == span_kind::producer);
  CHECK(is_below(all.spans->at(process_order), verb));
  CHECK(seen == std::vector<trace_context>{all.spans->at(process_order).context});
}

TEST_CASE("a dispatch has one span for all components, and a publish has its topic") {
  traced all;
  subscriber news(all.io);
  news.trace(all.spans);
  producer out;
  publisher press;
  out.bind(all.orders, all.parcels);
  press.bind(news);
  all.orders.handler([](const order&) {});
  all.parcels.handler([](const order&) -> awaitable<void> { co_await hop(); });
  news.subscribe("orders.*", [](const order&) {});
  all.run([](producer& from, publisher& to) -> awaitable<void> {
    co_await from.dispatch<order>(1);
    co_await to.publish(order{1}, "orders.placed");
  }(out, press));
  CHECK(all.spans->size() == 5);
  const auto dispatched = all.spans->at("dispatch " + std::string(msgbus::name_of<order>));
  CHECK(is_below(all.spans->at(process_order, 0), dispatched));
  CHECK(is_below(all.spans->at(process_order, 1), dispatched));
  const auto published = all.spans->at("publish orders.placed");
  CHECK(is_below(all.spans->at("process orders.placed"), published));
  CHECK(text_of(published, "messaging.destination.name") == "orders.placed");
}

TEST_CASE("a command has a client's and a server's span, and a posted one a consumer's") {
  traced all;
  service stock(all.io);
  stock.trace(all.spans);
  auto update = stock.handler("update", [](int) { return current_trace().has_value(); });
  all.run([](service& of) -> awaitable<void> {
    const bool has_trace = co_await of.execute<bool>("update", 1);
    CHECK(has_trace);
    (void)of.post("update", 2);
  }(stock));
  const auto called = all.spans->at("execute update");
  CHECK(called.kind == span_kind::client);
  CHECK(all.spans->at("process update", 0).kind == span_kind::server);
  CHECK(is_below(all.spans->at("process update", 0), called));
  CHECK(all.spans->at("process update", 1).kind == span_kind::consumer);
  CHECK(is_below(all.spans->at("process update", 1), all.spans->at("send update")));
}

TEST_CASE("a failure is in the handler's span, and in that of the verb") {
  traced all;
  const bool suspends = GENERATE(false, true);
  if (suspends) {
    all.orders.handler([](const order&) -> awaitable<void> {
      co_await hop();
      throw std::out_of_range("no order");
    });
  } else {
    all.orders.handler([](const order&) { throw std::out_of_range("no order"); });
  }
  all.run([](traced& of) -> awaitable<void> {
    try {
      co_await of.orders.consume<order>(1);
    } catch (const std::out_of_range&) {
    }
  }(all));
  for (const span_data& each : all.spans->all()) {
    CHECK(each.status == span_status::error);
    CHECK(each.status_text == "no order");
    CHECK(text_of(each, "error.type") == "std::out_of_range");
  }
  CHECK(all.spans->size() == 2);
}

TEST_CASE("a handler that never ends has a span that says so, and a refused message too") {
  const auto spans = std::make_shared<kept_spans>();
  const std::string text = msgbus_test::stderr_of([&] {
    asio::io_context io;
    consumer orders(io);
    orders.trace(spans);
    const msgbus_test::gate closed;
    orders.handler([&](const order&) -> awaitable<void> { co_await closed.wait(); });
    (void)orders.post(order{1});
    io.poll();
    orders.close();
    CHECK(orders.post(order{2}).rejected == 1);
  });
  CHECK(text.find("with 1 unfinished message") != std::string::npos);
  CHECK(spans->at(send_order, 1).status == span_status::error);
  CHECK(spans->at(process_order).status == span_status::error);
  CHECK(spans->at(process_order).status_text == "its run was interrupted");
}

TEST_CASE("a handler on another executor, and one with retries, has one span") {
  traced all;
  asio::thread_pool pool(1);
  int attempts = 0;
  trace_context seen;
  all.orders.handler(
      [&](const order&) {
        seen = current_trace().value();
        if (++attempts < 3) throw std::runtime_error("not yet");
      },
      {.executor = pool.get_executor(), .retry = {.attempts = 3, .backoff = {}}});
  all.run([](traced& of) -> awaitable<void> { co_await of.orders.consume<order>(1); }(all));
  CHECK(attempts == 3);
  CHECK(all.spans->size() == 2);
  CHECK(all.spans->at(process_order).status == span_status::unset);
  CHECK(seen == all.spans->at(process_order).context);
  pool.join();
}

TEST_CASE("a host traces its components, and a tracer that has gone gets no more") {
  asio::io_context io;
  consumer orders(io);
  orders.handler([](const order&) {});
  msgbus::async::host host(io);
  host.add("orders", orders);
  const auto spans = std::make_shared<kept_spans>();
  host.trace(spans);
  (void)orders.post(order{1});
  io.run();
  CHECK(text_of(spans->at(process_order), "messaging.consumer.group.name") == "orders");
  host.trace(nullptr);
  (void)orders.post(order{1});
  io.restart();
  io.run();
  CHECK(spans->size() == 2);
  CHECK(spans.use_count() == 1);
}

TEST_CASE("a tracer that throws breaks no delivery, and does not vanish") {
  struct throwing : msgbus::tracer {
    void ended(const span_data&) override { throw std::runtime_error("no disk"); }
  };
  asio::io_context io;
  consumer orders(io);
  orders.trace(std::make_shared<throwing>());
  int ran = 0;
  orders.handler([&](const order&) { ++ran; });
  const std::string text = msgbus_test::stderr_of([&] {
    (void)orders.post(order{1});
    io.run();
  });
  CHECK(ran == 1);
  CHECK(orders.stats().handled == 1);
  CHECK(text.find("a tracer") != std::string::npos);
}

TEST_CASE("the span of a dead letter that is replayed is in its trace, and says what it is") {
  asio::io_context io;
  consumer orders(io);
  const auto spans = std::make_shared<kept_spans>();
  const auto letters = std::make_shared<msgbus::async::dead_letters>();
  orders.trace(spans);
  orders.observe(std::make_shared<msgbus::observer>());
  bool fails = true;
  orders.handler(
      [&](const order&) {
        if (fails) throw std::runtime_error("no");
      },
      {.dead_letters = letters});
  (void)orders.post(order{1});
  io.run();
  fails = false;
  io.restart();
  asio::co_spawn(io, letters->replay(), [](const std::exception_ptr& failure, std::size_t many) {
    CHECK_FALSE(failure);
    CHECK(many == 1);
  });
  io.run();
  const auto is_marked = [&](const span_data& span) {
    const auto found =
        std::ranges::find(span.attributes, "msgbus.replayed", &msgbus::attribute::key);
    return found != span.attributes.end() && found->value == msgbus::attribute_value(true);
  };
  const span_data failed = spans->at(process_order, 0);
  const span_data again = spans->at(process_order, 1);
  CHECK(failed.status == span_status::error);
  CHECK_FALSE(is_marked(failed));
  CHECK(again.status == span_status::unset);
  CHECK(is_marked(again));
  CHECK(is_below(again, spans->at(send_order)));
}

}  // namespace spans_test
