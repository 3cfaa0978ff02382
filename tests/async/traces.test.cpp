// The trace of a message, on every way inside the process.

#include <msgbus/async/consumer.hpp>

#include <msgbus/async/producer.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/testing/spawned.hpp>
#include <msgbus/trace_context.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace traces_test {

using msgbus::current_trace;
using msgbus::trace_context;
using msgbus::trace_scope;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::hop;

namespace {

struct order {
  int id = 0;
};
struct parcel {
  int id = 0;
};

/// The traces that handlers have seen.
struct seen {
  std::vector<std::string> all;
  void note() {
    const auto now = current_trace();
    all.push_back(now ? now->traceparent() : "none");
  }
};

}  // namespace

TEST_CASE("the trace of a scope goes with its messages, over any number of mailboxes") {
  asio::io_context io;
  consumer orders(io), parcels(io);
  subscriber news(io);
  service stock(io);
  producer out;
  out.bind(parcels);
  seen by;
  auto update = stock.handler("update", [&](int) { by.note(); });
  news.subscribe("parcels", [&](const parcel&, const msgbus::context& ctx) {
    by.note();
    CHECK(trace_context::of(ctx) == current_trace());
    CHECK(ctx.headers().empty());
    CHECK(ctx.message_id().empty());
    (void)stock.post("update", 1);
  });
  parcels.handler([&](const parcel& event) {
    by.note();
    (void)news.post(event, "parcels");
  });
  orders.handler([&](const order&) -> asio::awaitable<void> {
    by.note();
    co_await hop(3);
    by.note();
    (void)out.post(parcel{1});
  });
  const trace_context span = trace_context::start(true);
  {
    const trace_scope scope(span);
    (void)orders.post(order{1});
  }
  (void)stock.post("update", 2);  // without
  io.run();
  const std::string one = span.traceparent();
  CHECK(by.all.size() == 6);
  CHECK(std::count(by.all.begin(), by.all.end(), one) == 5);
  CHECK(std::count(by.all.begin(), by.all.end(), "none") == 1);
  CHECK_FALSE(current_trace());
}

TEST_CASE("a handler's own span is the trace of its messages, and of nothing else") {
  asio::io_context io;
  consumer orders(io), parcels(io);
  seen by;
  parcels.handler([&](const parcel&) { by.note(); });
  trace_context own;
  orders.handler([&](const order&) {
    own = current_trace()->child();
    {
      const trace_scope scope(own);
      (void)parcels.post(parcel{1});
    }
    (void)parcels.post(parcel{2});
  });
  const trace_context span = trace_context::start(false);
  {
    const trace_scope scope(span);
    (void)orders.post(order{1});
  }
  io.run();
  CHECK(by.all == std::vector<std::string>{own.traceparent(), span.traceparent()});
}

TEST_CASE("an awaited verb has the trace of the handler that awaits it") {
  asio::io_context io;
  consumer orders(io), parcels(io);
  seen by;
  parcels.handler([&](const parcel&) -> asio::awaitable<void> {
    by.note();
    co_await hop(2);
    by.note();
  });
  orders.handler([&](const order&) -> asio::awaitable<void> {
    co_await hop();
    co_await parcels.consume<parcel>(1);
    by.note();
  });
  const trace_context span = trace_context::start(true);
  {
    const trace_scope scope(span);
    (void)orders.post(order{1});
  }
  io.run();
  CHECK(by.all == std::vector<std::string>(3, span.traceparent()));
}

}  // namespace traces_test
