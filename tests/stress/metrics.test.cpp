// Metrics come and go, and are read, while threads send: nothing is lost, and no figure decreases.

#include <msgbus/metrics.hpp>

#include <msgbus/async/consumer.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace metrics_test {

using msgbus::metrics;
using msgbus::metrics_options;
using msgbus::async::consumer;

namespace {

struct order {
  int id = 0;
};

/// The sum of the values of the lines that begin so.
std::uint64_t sum_of(const std::string& text, const std::string& name) {
  std::uint64_t sum = 0;
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const std::size_t end = text.find('\n', at);
    sum += std::stoull(text.substr(text.rfind(' ', end) + 1));
    at = end;
  }
  return sum;
}

}  // namespace

TEST_CASE("metrics come and go and are read while messages are sent and handled", "[O1][O2]") {
  asio::thread_pool pool(2);
  const std::size_t concurrency = GENERATE(1U, 4U);
  consumer orders(pool.get_executor(),
                  msgbus::mailbox_options{.capacity = 64, .concurrency = concurrency});
  std::atomic<std::uint64_t> handled{0};
  orders.handler([&](const order&) { ++handled; });
  metrics lasting(metrics_options{.sample = 2});
  lasting.add("orders", orders);
  std::atomic<bool> over{false};
  bool decreased = false;
  std::uint64_t taken[2] = {};
  {
    std::vector<std::jthread> senders;
    for (std::uint64_t& mine : taken) {
      senders.emplace_back([&] {
        for (int i = 0; i < msgbus_test::rounds(20'000); ++i)
          mine += orders.post(order{i}).admitted;
      });
    }
    const std::jthread coming_and_going([&] {
      for (std::uint32_t i = 0; !over; ++i) {
        metrics passing(metrics_options{.sample = 1 + i % 3});
        passing.add("orders", orders);
        (void)passing.json();
        msgbus::subscription other = orders.handler([](const order&) {});
        other.cancel();
      }
    });
    const std::jthread reading([&] {
      std::uint64_t before = 0;
      while (!over) {
        const std::string text = lasting.prometheus();
        const std::uint64_t now = sum_of(text, "msgbus_handle_duration_seconds_count");
        decreased = decreased || now < before;
        before = now;
      }
    });
    senders.clear();
    over = true;
  }
  pool.join();
  CHECK_FALSE(decreased);
  CHECK(handled == taken[0] + taken[1]);
  const msgbus::counters all = orders.stats();
  CHECK(all.accepted == handled);
  CHECK(all.handled == handled);
  const std::string text = lasting.prometheus();
  const std::uint64_t waits = sum_of(text, "msgbus_wait_duration_seconds_count");
  CHECK(waits > 0);
  CHECK(waits <= handled);
  CHECK(text.find("msgbus_oldest_waiting_seconds{component=\"orders\",kind=\"consumer\"} 0\n") !=
        std::string::npos);
}

}  // namespace metrics_test
