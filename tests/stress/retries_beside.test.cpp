// Messages that pause beside their mailbox, on several threads.

#include <msgbus/async.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <vector>

namespace retries_beside_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

struct ping {
  int number = 0;
};

/// A handler that fails in two attempts of three, on four threads.
struct failing {
  explicit failing(bus::mailbox_options options) : events(pool.get_executor(), options) {
    events.observe(std::make_shared<msgbus::observer>());
    events.handler(
        [this, options](const ping& event, const msgbus::context& ctx) -> awaitable<void> {
          if (static_cast<std::size_t>(++inside) > options.concurrency) too_many = true;
          if (event.number % 3 == 0) co_await msgbus_test::hop();
          --inside;
          if (ctx.attempt() < 3) throw std::runtime_error("down");
          ++well;
        },
        {.retry = {.attempts = 3, .backoff = 20us, .hold_order = false}});
  }

  /// Three senders of so many messages each.
  void send(int each) {
    for (int sender = 0; sender < 3; ++sender) {
      sending.push_back(asio::co_spawn(asio::make_strand(pool), send_all(each), asio::use_future));
    }
  }
  awaitable<void> send_all(int many) {
    for (int n = 0; n < many; ++n) {
      const auto taken = co_await events.send<ping>(n);
      sent += static_cast<int>(taken.admitted);
    }
  }
  bus::drain_report drain(std::chrono::steady_clock::duration deadline) {
    auto running =
        asio::co_spawn(asio::make_strand(pool), events.drain(deadline), asio::use_future);
    return msgbus_test::end_of(std::move(running), "a drain");
  }

  asio::thread_pool pool{4};
  std::atomic<int> inside{0};
  std::atomic<bool> too_many{false};
  std::atomic<int> well{0};
  std::atomic<int> sent{0};
  std::vector<std::future<void>> sending;
  bus::consumer events;
};

}  // namespace

TEST_CASE("messages that pause beside their mailbox are each handled once", "[P2][P3][A5][A7]") {
  const std::size_t concurrency = GENERATE(1U, 3U);
  failing t({.capacity = 16, .concurrency = concurrency});
  const int each_sends = rounds(500);
  t.send(each_sends);
  msgbus_test::end_of_all(t.sending, "the senders");
  const auto report = t.drain(msgbus_test::deadline);
  t.pool.join();
  CHECK(report.abandoned == 0);
  CHECK_FALSE(t.too_many);
  CHECK(t.sent == 3 * each_sends);
  CHECK(t.well == t.sent);
  CHECK(t.events.stats().handled == static_cast<std::uint64_t>(t.sent.load()));
}

TEST_CASE("a drain that is cut short settles every message that pauses", "[P2][A10]") {
  const std::size_t concurrency = GENERATE(1U, 3U);
  for (int n = 0; n < rounds(30); ++n) {
    failing t({.capacity = 8, .concurrency = concurrency});
    t.send(200);
    (void)t.drain(std::chrono::microseconds(n * 50));
    for (auto& each : t.sending) {
      msgbus_test::wait_for_end(each, "a sender");
      try {
        each.get();
      } catch (const msgbus::error&) {  // closed
      }
    }
    t.pool.join();
    CHECK_FALSE(t.too_many);
    const auto counted = t.events.stats();
    CHECK(is_conserved(counted));
    CHECK(counted.accepted == static_cast<std::uint64_t>(t.sent.load()));
  }
}

}  // namespace retries_beside_test
