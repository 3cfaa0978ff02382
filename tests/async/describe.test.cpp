#include <msgbus/async/describe.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/producer.hpp>
#include <msgbus/async/publisher.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/graph_source.hpp>
#include <msgbus/sync/consumer.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <latch>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <thread>

namespace describe_test {

using msgbus::graph;
using msgbus::graph_of;
using msgbus::async::consumer;
using msgbus::async::host;
using msgbus::async::producer;
using namespace std::chrono_literals;

namespace {

struct order {
  int id = 0;
};
struct part {
  void close() {}
  asio::awaitable<msgbus::drain_report> drain(std::chrono::steady_clock::duration) {
    co_return msgbus::drain_report{};
  }
};

}  // namespace

TEST_CASE("a host describes its members in the order of the flow, and their senders") {
  asio::io_context io;
  host all(io);
  consumer orders(io, {.capacity = 8, .on_full = msgbus::overflow::reject, .concurrency = 2});
  msgbus::async::subscriber mails(io);
  msgbus::async::service prices(io);
  part listener;
  all.add("orders", orders);
  all.add("mails", mails);
  all.add("prices", prices);
  all.add("listener", listener);
  producer sends;
  const auto line = static_cast<std::uint32_t>(std::source_location::current().line()) + 1;
  sends.bind(orders);
  orders.handler([](const order&) -> asio::awaitable<void> { co_return; });
  mails.subscribe({"a.*", "b"}, [](const order&) {});
  (void)prices.handler("price", [](int) { return 1.5; });
  const graph made = graph_of(all);
  std::vector<std::string> labels;
  for (const auto& each : made.components) labels.push_back(each.label());
  CHECK(labels == std::vector<std::string>{"consumer \"orders\"", "producer c2",
                                           "subscriber \"mails\"", "service \"prices\"",
                                           "part \"listener\""});
  const graph::component& first = made.components[0];
  CHECK(first.family == "async");
  CHECK(first.executor == "io_context 1");
  CHECK(first.capacity == 8);
  CHECK(first.concurrency == 2);
  CHECK(first.on_full == "reject");
  CHECK_FALSE(first.closed);
  CHECK(first.handlers.at(0).coroutine);
  CHECK(made.components[2].handlers.at(0).patterns == std::vector<std::string>{"a.*", "b"});
  CHECK(made.components[3].handlers.at(0).result == "double");
  REQUIRE(made.bindings.size() == 1);
  CHECK(made.bindings[0].from == "c2");
  CHECK(made.bindings[0].bound_at.line == line);
  CHECK(made.bindings[0].bound_at.file.ends_with("describe.test.cpp"));
  CHECK(msgbus::describe(made).find("describe.test.cpp:" + std::to_string(line)) !=
        std::string::npos);
  orders.close();
  CHECK(graph_of(all).components[0].closed);
  CHECK(msgbus::describe(all) == msgbus::describe(graph_of(all)));
  CHECK(msgbus::describe(all, msgbus::graph_format::json).starts_with("{\"version\":1,"));
}

TEST_CASE("a group is described the same from its producer and from its members") {
  asio::io_context io;
  consumer one(io);
  consumer two(io);
  producer sends;
  sends.bind_one_of(one, two, {.by = msgbus::pick::least_waiting});
  sends.bind(one);
  for (const bool from_producer : {true, false}) {
    msgbus::graph_source source;
    if (from_producer) {
      source.add("sends", sends);
    } else {
      source.add("one", one);
      source.add("two", two);
    }
    const graph made = source.read();
    CHECK(made.components.size() == 3);
    std::size_t in_group = 0;
    std::size_t alone = 0;
    for (const graph::binding& each : made.bindings) {
      CHECK(made.find(each.from)->kind == "producer");
      CHECK(made.find(each.to)->kind == "consumer");
      if (each.group.empty()) {
        ++alone;
      } else {
        CHECK(each.group == "g1");
        CHECK(each.pick == "least_waiting");
        ++in_group;
      }
    }
    CHECK(in_group == 2);
    CHECK(alone == 1);
  }
}

TEST_CASE("a name in a host comes before one that a source gives") {
  asio::io_context io;
  host all(io);
  consumer orders(io);
  msgbus::graph_source source;
  source.add("given", orders);
  CHECK(source.read().components.at(0).name == "given");
  all.add("orders", orders);
  CHECK(source.read().components.at(0).name == "orders");
}

TEST_CASE("executors are distinguished, and those of policies shown") {
  asio::io_context io;
  asio::thread_pool pool(1);
  consumer first(io);
  consumer second(pool);
  consumer third(asio::make_strand(pool));
  consumer fourth(
      asio::any_io_executor(asio::make_strand(asio::any_io_executor(io.get_executor()))));
  first.handler([](const order&) {}, {.executor = pool.get_executor(),
                                      .max_concurrent = 4,
                                      .timeout = 1500ms,
                                      .breaker = std::make_shared<msgbus::circuit_breaker>(),
                                      .retry = {.attempts = 5},
                                      .deadline = 1min,
                                      .deduplicate = {.window = 2h}});
  msgbus::graph_source source;
  source.add("first", first);
  source.add("second", second);
  source.add("third", third);
  source.add("fourth", fourth);
  const graph made = source.read();
  CHECK(made.components[0].executor == "io_context 1");
  CHECK(made.components[1].executor == "thread_pool 1");
  CHECK(made.components[2].executor == "strand of thread_pool 1");
  CHECK(made.components[3].executor == "strand of io_context 1");
  CHECK(made.components[0].handlers.at(0).executor == "thread_pool 1");
  CHECK(made.components[0].handlers.at(0).policy ==
        "at most 4 at once, timeout 1500 ms, a circuit breaker, 5 attempts, deadline 1 min, "
        "deduplicated for 2 h");
  pool.join();
}

TEST_CASE("components of both families and those that were destroyed are in one source", "[D8]") {
  std::optional<asio::io_context> io(std::in_place);
  std::optional<consumer> gone(std::in_place, *io);
  consumer stays(*io);
  msgbus::sync::consumer local;
  msgbus::graph_source source;
  source.add("gone", *gone);
  source.add("stays", stays);
  source.add("local", local);
  CHECK(source.read().components.size() == 3);
  gone.reset();
  io.reset();
  const graph made = source.read();
  REQUIRE(made.components.size() == 2);
  CHECK(made.components[0].executor == "none");
  CHECK(made.components[1].family == "sync");
}

TEST_CASE("a graph is read while every thread of a pool is stuck in a handler", ) {
  asio::thread_pool pool(1);
  std::latch entered(1);
  std::latch leave(1);
  consumer orders(pool);
  orders.handler([&](const order&) {
    entered.count_down();
    leave.wait();
  });
  CHECK(orders.post(order{}).admitted == 1);
  entered.wait();
  CHECK(graph_of(orders).components.at(0).handlers.size() == 1);
  leave.count_down();
  pool.join();
}

TEST_CASE("a graph is read while handlers, overrides and bindings change", "[D7]") {
  asio::io_context io;
  consumer orders(io);
  producer sends;
  std::thread changes([&] {
    for (int i = 0; i < 200; ++i) {
      auto handler = orders.handler([](const order&) {}, {.timeout = 1s});
      sends.bind(orders);
      handler.cancel();
      sends.unbind(orders);
    }
  });
  msgbus::graph_source source;
  source.add("orders", orders);
  source.add("sends", sends);
  for (int i = 0; i < 200; ++i) CHECK(source.read().components.size() == 2);
  changes.join();
  CHECK(source.read().bindings.empty());
}

}  // namespace describe_test
