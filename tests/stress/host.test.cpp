// A host that is stopped from several threads while its components are destroyed.

#include <msgbus/async/host.hpp>

#include <msgbus/async/consumer.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <chrono>
#include <csignal>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace host_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::hop;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

struct ping {
  int number = 0;
};

bus::host_report report_of(std::future<bus::host_report>& running) {
  return msgbus_test::end_of(std::move(running), "a host");
}

}  // namespace

TEST_CASE("a host is stopped and hurried by other threads while its components are destroyed",
          "[A10][D7][D8]") {
  for (int round = 0; round < rounds(200); ++round) {
    asio::thread_pool pool(2);
    bus::host all(pool);
    std::vector<std::unique_ptr<bus::consumer>> components;
    for (int i = 0; i < 3; ++i) {
      auto& added = components.emplace_back(
          std::make_unique<bus::consumer>(asio::make_strand(pool.get_executor())));
      added->observe(std::make_shared<msgbus::observer>());
      added->handler([](const ping& event) -> awaitable<void> { co_await hop(event.number); });
      all.add("c" + std::to_string(i), *added);
    }
    for (int i = 0; i < 12; ++i) (void)components[static_cast<std::size_t>(i % 3)]->post<ping>(i);
    auto work = all.run({.deadline = msgbus_test::deadline});
    auto running = asio::co_spawn(pool, std::move(work), asio::use_future);
    std::latch start(4);
    std::jthread stops([&] {
      start.arrive_and_wait();
      all.stop();
    });
    std::jthread hurries([&] {
      start.arrive_and_wait();
      if (round % 2) all.stop_now();
      for (const bus::component_stats& each : all.stats()) {
        msgbus_test::expect(each.counts.offered == each.counts.accepted + each.counts.rejected,
                            "the figures of a component add up");
      }
    });
    std::jthread destroys([&] {
      start.arrive_and_wait();
      if (round % 3) components[static_cast<std::size_t>(round % 3)].reset();
    });
    start.arrive_and_wait();
    const bus::host_report report = report_of(running);
    CHECK(report.components.size() == 3);
    CHECK((report.complete() || round % 2 == 1 || round % 3 != 0));
    stops.join();
    hurries.join();
    destroys.join();
    for (const auto& each : components) {
      if (each) CHECK(msgbus_test::is_conserved(each->stats()));
    }
    components.clear();
    pool.join();
  }
}

TEST_CASE("a context is destroyed while a host waits or drains", "[A12]") {
  for (int round = 0; round < rounds(100); ++round) {
    std::optional<asio::thread_pool> pool(std::in_place, 1);
    bus::host all(asio::make_strand(pool->get_executor()));
    bus::consumer events(asio::make_strand(pool->get_executor()));
    events.observe(std::make_shared<msgbus::observer>());
    events.handler([](const ping& event) -> awaitable<void> { co_await hop(event.number); });
    all.add("events", events);
    (void)events.post<ping>(1'000'000);
    auto work = all.run({.signals = {SIGUSR1}, .deadline = msgbus_test::deadline});
    auto running = asio::co_spawn(*pool, std::move(work), asio::use_future);
    std::jthread stops([&] {
      if (round % 2) all.stop();
    });
    if (round % 4 < 2) stops.join();
    pool->stop();
    pool->join();
    pool.reset();
    CHECK_THROWS_AS(report_of(running), std::future_error);
  }
}

}  // namespace host_test
