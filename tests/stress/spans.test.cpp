// A tracer that comes and goes while many threads send. docs/design/0033-spans.md

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/spans.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace spans_test {

using msgbus::sampler;
using msgbus::span_data;
using msgbus::span_kind;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus_test::kept_spans;

namespace {

struct order {
  int id = 0;
};

asio::awaitable<void> dispatch(producer& to, int times) {
  for (int i = 0; i < times; ++i) co_await to.dispatch<order>(i);
}

}  // namespace

TEST_CASE("spans of many threads are whole, while other threads attach and detach their tracer") {
  constexpr int times = 200;
  asio::thread_pool pool(2);
  consumer orders(pool, {.concurrency = 2}), copies(pool);
  producer out;
  out.bind(orders, copies);
  std::atomic<int> strange{0};
  const auto look = [&] {
    const auto here = msgbus::current_span();
    if (here.is_recording() && here.context() != msgbus::current_trace()) ++strange;
  };
  orders.handler([&](const order&) { look(); });
  orders.handler([&](const order&) -> asio::awaitable<void> {
    look();
    co_await msgbus_test::hop();
    look();
  });
  copies.handler([&](const order&) -> asio::awaitable<void> {
    co_await msgbus_test::hop();
    look();
  });
  const auto all = std::make_shared<kept_spans>();
  const auto half = std::make_shared<kept_spans>(sampler::parent_based(sampler::ratio(0.5)));
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < times; ++i) (void)orders.post<order>(i);
  });
  threads.emplace_back([&] {
    for (int i = 0; i < times; ++i) {
      orders.trace(i % 2 == 0 ? all : half);
      copies.trace(i % 3 == 0 ? nullptr : all);
      std::this_thread::yield();
    }
  });
  auto done = asio::co_spawn(pool, dispatch(out, times), asio::use_future);
  done.get();
  for (std::thread& each : threads) each.join();
  // The threads may have run one after the other: at the end `copies` has the tracer for all.
  asio::co_spawn(pool, dispatch(out, 1), asio::use_future).get();
  asio::co_spawn(pool, orders.drain(std::chrono::seconds(60)), asio::use_future).get();
  asio::co_spawn(pool, copies.drain(std::chrono::seconds(60)), asio::use_future).get();
  pool.join();
  CHECK(strange == 0);
  CHECK(msgbus_test::is_conserved(orders.stats()));
  for (const auto& each : {all, half}) {
    for (const span_data& span : each->all()) {
      CHECK(span.context.sampled);
      CHECK(span.is_root() == (span.kind == span_kind::producer));
    }
  }
  CHECK(all->size() > 0);
}

}  // namespace spans_test
