// The times that metrics measure, of every way that a message goes.

#include <msgbus/metrics.hpp>

#include <msgbus/async/consumer.hpp>
#include <msgbus/async/service.hpp>
#include <msgbus/async/subscriber.hpp>
#include <msgbus/testing/spawned.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/times_clock.hpp"

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace times_test {

using msgbus::metrics;
using msgbus::metrics_options;
using msgbus::async::consumer;
using msgbus::async::service;
using msgbus::async::subscriber;
using msgbus_test::times_clock;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

struct order {
  int id = 0;
};
struct parcel {
  int id = 0;
};

/// The figures of the component `of`.
json read(const metrics& from) { return json::parse(from.json())["components"][0]; }

/// `count/sum` of the series of a message, and of its handler if that is given.
std::string series(const json& component, const char* what, const std::string& message,
                   const std::string& handler = {}) {
  for (const json& each : component[what]) {
    if (each["message"].get<std::string>().find(message) == std::string::npos) continue;
    if (!handler.empty() && each["handler"] != handler) continue;
    return std::to_string(each["count"].get<int>()) + '/' +
           std::to_string(each["sum"].get<double>());
  }
  return "none";
}
std::string waits(const json& of, const std::string& message) {
  return series(of, "wait_duration_seconds", message);
}
std::string handles(const json& of, const std::string& message, const std::string& handler = {}) {
  return series(of, "handle_duration_seconds", message, handler);
}

asio::awaitable<void> pause(std::chrono::nanoseconds time) {
  co_await asio::post(asio::use_awaitable);
  times_clock::advance(time);
}

void run(asio::io_context& io) {
  io.restart();
  io.run();
}

}  // namespace

TEST_CASE("a sent message has the time that it waited, and each handler its own") {
  const times_clock clock;
  asio::io_context io;
  const std::size_t concurrency = GENERATE(1U, 3U);
  CAPTURE(concurrency);
  consumer orders(io, msgbus::mailbox_options{.concurrency = concurrency});
  metrics figures;
  figures.add("orders", orders);
  orders.handler([](const order&) { times_clock::advance(2ms); });
  SECTION("of a message with one plain handler") {
    (void)orders.post(order{1});
    times_clock::advance(5ms);
    run(io);
    const json got = read(figures);
    CHECK(waits(got, "order") == "1/0.005000");
    CHECK(handles(got, "order") == "1/0.002000");
  }
  SECTION("of several messages") {
    for (int i = 0; i < 3; ++i) (void)orders.post(order{i});
    run(io);
    const json got = read(figures);
    CHECK(waits(got, "order") == "3/0.006000");  // 0, 2 and 4 ms
    CHECK(handles(got, "order") == "3/0.006000");
  }
  SECTION("of a message with several handlers, one of them a coroutine") {
    orders.handler([](const order&) { return pause(7ms); });
    orders.handler([](const order&) { times_clock::advance(1ms); });
    (void)orders.post(order{1});
    times_clock::advance(5ms);
    run(io);
    const json got = read(figures);
    CHECK(waits(got, "order") == "1/0.005000");
    REQUIRE(got["handle_duration_seconds"].size() == 3);
    const std::string name = got["handle_duration_seconds"][0]["handler"];
    CHECK(handles(got, "order", name) == "1/0.002000");
    CHECK(handles(got, "order", name + " (2)") == "1/0.007000");
    CHECK(handles(got, "order", name + " (3)") == "1/0.001000");
  }
  SECTION("of a handler that fails") {
    orders.observe(std::make_shared<msgbus::observer>());
    orders.handler([](const parcel&) {
      times_clock::advance(3ms);
      throw std::runtime_error("no");
    });
    (void)orders.post(parcel{1});
    run(io);
    CHECK(handles(read(figures), "parcel") == "1/0.003000");
  }
}

TEST_CASE("an awaited verb has no time in the mailbox, and the times of its handlers") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  metrics figures;
  figures.add("orders", orders);
  orders.handler([](const order&) { times_clock::advance(2ms); });
  orders.handler([](const parcel&) { return pause(7ms); });
  const auto work = [&]() -> asio::awaitable<void> {
    co_await orders.consume<order>(1);
    co_await orders.consume<parcel>(1);
  };
  msgbus::testing::spawned<void> working(io.get_executor(), work());
  run(io);
  working.get();
  const json got = read(figures);
  CHECK(waits(got, "order") == "none");
  CHECK(handles(got, "order") == "1/0.002000");
  CHECK(handles(got, "parcel") == "1/0.007000");
}

TEST_CASE("messages with topics and commands have times, by type and by operation") {
  const times_clock clock;
  asio::io_context io;
  const std::size_t concurrency = GENERATE(1U, 3U);
  CAPTURE(concurrency);
  const msgbus::mailbox_options options{.concurrency = concurrency};
  SECTION("of a subscriber") {
    subscriber parcels(io, options);
    metrics figures;
    figures.add("parcels", parcels);
    parcels.subscribe("parcels.*", [](const parcel&) { times_clock::advance(2ms); });
    (void)parcels.post(parcel{1}, "parcels.sent");
    times_clock::advance(1ms);
    run(io);
    const json got = read(figures);
    CHECK(waits(got, "parcel") == "1/0.001000");
    CHECK(handles(got, "parcel") == "1/0.002000");
    CHECK(got["handle_duration_seconds"][0]["handler"].get<std::string>().find("parcels.*") !=
          std::string::npos);
  }
  SECTION("of a service") {
    service stock(io, options);
    metrics figures;
    figures.add("stock", stock);
    auto update = stock.handler("update", [](int) { times_clock::advance(2ms); });
    (void)stock.post("update", 1);
    times_clock::advance(1ms);
    run(io);
    const json got = read(figures);
    CHECK(waits(got, "update") == "1/0.001000");
    CHECK(handles(got, "update") == "1/0.002000");
  }
}

TEST_CASE("a message costs two looks at the clock while the mailbox is busy", "[O4]") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  metrics figures;
  figures.add("orders", orders);
  orders.handler([](const order&) {});
  constexpr int many = 60;  // one batch
  for (int i = 0; i < many; ++i) (void)orders.post(order{i});
  CHECK(times_clock::looks() == many);
  run(io);
  CHECK(times_clock::looks() == many + 1);  // and one at the beginning
}

TEST_CASE("without times nobody looks at the clock, and with samples few do", "[O4]") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  orders.handler([](const order&) { times_clock::advance(1ms); });
  const auto send = [&](int many) {
    for (int i = 0; i < many; ++i) (void)orders.post(order{i});
    run(io);
  };
  SECTION("without times") {
    metrics figures(metrics_options{.times = false});
    figures.add("orders", orders);
    send(1'000);
    CHECK(times_clock::looks() == 0);
    CHECK_FALSE(read(figures).contains("handle_duration_seconds"));
  }
  SECTION("one message in a hundred") {
    metrics figures(metrics_options{.sample = 100});
    figures.add("orders", orders);
    for (int i = 0; i < 100; ++i) send(1'000);
    CHECK(times_clock::looks() < 100'000 / 100 * 3 * 2);
    const json got = read(figures);
    const int measured = got["handle_duration_seconds"][0]["count"];
    CHECK(measured > 700);
    CHECK(measured < 1'300);
    CHECK(handles(got, "order") ==
          std::to_string(measured) + '/' + std::to_string(0.001 * measured));
    CHECK(got["wait_duration_seconds"][0]["count"] == measured);
  }
  SECTION("the object has gone") {
    {
      metrics figures;
      figures.add("orders", orders);
    }
    send(1'000);
    CHECK(times_clock::looks() == 0);
  }
}

TEST_CASE("two objects measure once, and as often as the keener one wants") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  orders.handler([](const order&) { times_clock::advance(1ms); });
  std::optional<metrics> seldom(std::in_place, metrics_options{.sample = 1'000'000});
  seldom->add("orders", orders);
  metrics often;
  often.add("orders", orders);
  (void)orders.post(order{1});
  run(io);
  CHECK(handles(read(often), "order") == "1/0.001000");
  CHECK(handles(read(*seldom), "order") == "1/0.001000");
  seldom.reset();
  (void)orders.post(order{2});
  run(io);
  CHECK(handles(read(often), "order") == "2/0.002000");
}

TEST_CASE("the oldest message that waits has an age") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io, msgbus::mailbox_options{.capacity = 16});
  metrics figures;
  figures.add("orders", orders);
  orders.handler([](const order&) {});
  CHECK(read(figures)["oldest_waiting_seconds"] == 0);
  (void)orders.post(order{1});
  times_clock::advance(3s);
  (void)orders.post(order{2});
  CHECK(read(figures)["oldest_waiting_seconds"] == 3);
  run(io);
  CHECK(read(figures)["oldest_waiting_seconds"] == 0);
}

TEST_CASE("the times of a handler that has gone stay, and the next one continues them", "[O2]") {
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  metrics figures;
  figures.add("orders", orders);
  for (int i = 1; i <= 3; ++i) {
    msgbus::subscription each = orders.handler([](const order&) { times_clock::advance(1ms); });
    (void)orders.post(order{1});
    run(io);
    each.cancel();
    const json got = read(figures);
    REQUIRE(got["handle_duration_seconds"].size() == 1);
    CHECK(got["handle_duration_seconds"][0]["count"] == i);
  }
}

TEST_CASE("an observer hears the same with times as without", "[O1]") {
  struct counting : msgbus::observer {
    int accepted_ = 0, delivered_ = 0;
    void accepted(const msgbus::step&) override { ++accepted_; }
    void delivered(const msgbus::step&) override { ++delivered_; }
  };
  const times_clock clock;
  asio::io_context io;
  consumer orders(io);
  auto heard = std::make_shared<counting>();
  orders.observe(heard);
  std::optional<metrics> figures(std::in_place);
  figures->add("orders", orders);
  orders.handler([](const order&) { return pause(1ms); });
  orders.handler([](const order&) {});
  (void)orders.post(order{1});
  run(io);
  figures.reset();
  (void)orders.post(order{2});
  run(io);
  CHECK(heard->accepted_ == 2);
  CHECK(heard->delivered_ == 4);
  CHECK(orders.stats().handled == 2);
}

TEST_CASE("a handler that is cut off leaves no time, and nothing else") {
  const times_clock clock;
  std::optional<asio::io_context> io(std::in_place);
  auto orders = std::make_unique<consumer>(*io);
  metrics figures;
  figures.add("orders", *orders);
  msgbus_test::gate never;
  orders->handler([&](const order&) { return never.wait(); });
  orders->observe(std::make_shared<msgbus::observer>());
  (void)orders->post(order{1});
  io->poll();
  REQUIRE(never.came() == 1);
  io.reset();
  CHECK(orders->stats().abandoned == 1);
  CHECK(handles(read(figures), "order") == "none");
}

}  // namespace times_test
