// Which messages have spans: the sampler of a tracer decides, or the parent of another process.
// docs/design/0033-spans.md

#include <msgbus/async/consumer.hpp>

#include <msgbus/trace_context.hpp>

#include "async/traced.hpp"
#include "observe/active_span.hpp"
#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/spans.hpp"

#include <asio/awaitable.hpp>

#include <memory>

namespace sampling_test {

using asio::awaitable;
using msgbus::current_trace;
using msgbus::sampler;
using msgbus::trace_context;
using msgbus::trace_scope;
using msgbus::async::consumer;
using msgbus_test::hop;
using msgbus_test::kept_spans;
using msgbus_test::text_of;
using namespace msgbus_test::tracing;

TEST_CASE("a message that is not sampled has no span, and leads to none") {
  traced all(sampler::parent_based(sampler::never()));
  consumer others(all.io);  // which would begin traces
  const auto others_spans = std::make_shared<kept_spans>();
  others.trace(others_spans);
  int ran = 0;
  others.handler([&](const order&) { ++ran; });
  all.orders.handler([&](const order&) {
    CHECK(msgbus::detail::is_marked_not_sampled());
    (void)others.post(order{1});
  });
  all.parcels.handler([&](const parcel&) -> awaitable<void> {
    (void)others.post(order{1});
    co_await hop(2);
    (void)others.post(order{1});
    co_await others.consume<order>(1);
  });
  (void)all.orders.post(order{1});
  (void)all.parcels.post(parcel{1});
  all.run([](traced& of) -> awaitable<void> {
    co_await of.orders.consume<order>(1);
    co_await of.parcels.consume<parcel>(1);
  }(all));
  all.io.run();
  CHECK(all.spans->size() == 0);
  CHECK(others_spans->size() == 0);
  CHECK(ran == 8);
}

TEST_CASE("a parent of another process decides, and its state goes on") {
  traced all;
  all.orders.handler([](const order&) {});
  trace_context there = trace_context::start(true);
  there.state = "a=b";
  const trace_context not_sampled = trace_context::start(false);
  for (const trace_context& each : {there, not_sampled}) {
    const trace_scope scope(each);
    (void)all.orders.post(order{1});
  }
  all.io.run();
  REQUIRE(all.spans->size() == 2);
  CHECK(all.spans->at(send_order).parent == there.span_id);
  CHECK(all.spans->at(process_order).context.trace_id == there.trace_id);
  CHECK(all.spans->at(process_order).context.state == "a=b");
}

TEST_CASE("a message of another process without a trace begins one at its handlers") {
  const bool is_sampled = GENERATE(true, false);
  traced all(is_sampled ? sampler::always() : sampler::parent_based(sampler::never()));
  all.parcels.trace(std::make_shared<kept_spans>());
  all.parcels.handler([&](const parcel&) { CHECK(current_trace()->sampled == is_sampled); });
  all.orders.handler([&](const order&) { (void)all.parcels.post(parcel{1}); });
  all.orders.handler([](const order&) {});
  const msgbus::detail::shared_origin from =
      std::make_shared<const msgbus::origin>(msgbus::origin{.message_id = "m-1"});
  struct received final : msgbus::exec::queued_message {
    explicit received(msgbus::detail::shared_origin with) : origin(std::move(with)) {}
    [[nodiscard]] msgbus::exec::message_head head() const noexcept override {
      return {{msgbus::detail::key_of<order>, &event}, {}, &origin, true};
    }
    [[nodiscard]] std::shared_ptr<queued_message> share() override { return nullptr; }
    order event;
    msgbus::detail::shared_origin origin;
  };
  msgbus::exec::send_operation out(std::make_shared<received>(from));
  const auto& core = msgbus::component::core_access::of(all.orders);
  (void)msgbus::async::detail::post_to(*core, out);
  all.io.run();
  CHECK(all.parcels.stats().handled == 1);
  if (!is_sampled) {
    CHECK(all.spans->size() == 0);
    return;
  }
  REQUIRE(all.spans->size() == 2);
  const auto first = all.spans->at(process_order, 0);
  CHECK(first.is_root());
  CHECK(text_of(first, "messaging.message.id") == "m-1");
  CHECK(all.spans->at(process_order, 1).context.trace_id == first.context.trace_id);
}

}  // namespace sampling_test
