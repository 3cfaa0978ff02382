// Breaker, rate limiter, letters and permits that handlers share on several threads.

#include <msgbus/async.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace policies_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

struct ping {
  int number = 0;
};

template <class T>
T wait_for(std::future<T> result) {
  return msgbus_test::end_of(std::move(result), "an awaitable");
}
template <class T>
T wait_for(asio::thread_pool& pool, awaitable<T> what) {
  return wait_for(asio::co_spawn(asio::make_strand(pool), std::move(what), asio::use_future));
}

}  // namespace

TEST_CASE("guards that four threads share lose no message and no permit", "[P2][P3][A7]") {
  asio::thread_pool pool(4);
  const auto breaker = std::make_shared<bus::circuit_breaker>(bus::breaker_options{
      .minimum = 5, .sampling = 5ms, .open_for = 1ms, .max_open_for = 4ms, .half_open_permits = 2});
  const auto limiter =
      std::make_shared<bus::rate_limiter>(bus::rate_limit{.permits = 400, .per = 1ms, .burst = 50});
  const auto letters =
      std::make_shared<bus::dead_letters>(bus::dead_letter_options{.capacity = 20});
  std::array<std::atomic<int>, 4> inside{};
  std::atomic<bool> too_many{false};
  std::array<std::optional<bus::consumer>, 4> components;
  for (std::size_t i = 0; i < components.size(); ++i) {
    bus::consumer& each =
        components[i].emplace(pool.get_executor(), bus::mailbox_options{.concurrency = 3});
    each.observe(std::make_shared<msgbus::observer>());
    bus::policy how{.max_concurrent = 2,
                    .breaker = breaker,
                    .retry = {.attempts = 2, .backoff = 10us},
                    .rate_limit = {.limiter = limiter},
                    .deduplicate = {.window = 1ms,
                                    .key =
                                        [](const msgbus::any_event& event) {
                                          return std::to_string(event.get_if<ping>()->number / 2);
                                        }},
                    .dead_letters = letters};
    if (i % 2 == 0) how.deduplicate = {};
    const auto run = [&, i](const ping& event) {
      if (inside[i].load() > 2) too_many = true;
      if (event.number % 5 < 2) throw std::runtime_error("down");
    };
    if (i < 2) {
      each.handler(
          [&, i, run](const ping& event) -> awaitable<void> {
            ++inside[i];
            const std::shared_ptr<void> end(nullptr, [&, i](void*) { --inside[i]; });
            if (event.number % 3 == 0) co_await msgbus_test::hop();
            run(event);
          },
          how);
    } else {
      each.handler(
          [&, i, run](const ping& event) {
            ++inside[i];
            const std::shared_ptr<void> end(nullptr, [&, i](void*) { --inside[i]; });
            run(event);
          },
          how);
    }
  }
  const auto use = [&](bus::consumer& events) -> awaitable<void> {
    for (int n = 0; n < rounds(300); ++n) {
      (void)co_await events.send<ping>(n);
      if (n % 7 != 0) continue;
      try {
        co_await events.consume<ping>(n);
      } catch (const std::exception&) {  // down, or refused by the breaker
      }
    }
  };
  std::vector<std::future<void>> all;
  for (auto& each : components) {
    all.push_back(asio::co_spawn(asio::make_strand(pool), use(*each), asio::use_future));
  }
  for (int n = 0; n < 20; ++n) {
    // A replay may wait for a twin that waits for the breaker: not while that is isolated.
    auto replay = asio::co_spawn(asio::make_strand(pool), letters->replay(), asio::use_future);
    breaker->isolate();
    breaker->reset();
    (void)wait_for(std::move(replay));
    letters->discard([](const bus::dead_letter& each) { return each.id % 2 == 0; });
  }
  msgbus_test::end_of_all(all, "the senders");
  for (auto& each : components) {
    const auto report = wait_for(pool, each->drain(msgbus_test::deadline));
    CHECK(report.abandoned == 0);
    CHECK(is_conserved(each->stats()));
  }
  pool.join();
  CHECK_FALSE(too_many);
  CHECK(limiter->waiting() == 0);
  const auto counted = letters->stats();
  CHECK(counted.added == counted.replayed + counted.discarded + counted.dropped + letters->size());
}

TEST_CASE("times that are over while their handlers end count once, on four threads", "[P1][P2]") {
  struct counting final : msgbus::observer {
    void overran(const msgbus::step&, std::chrono::steady_clock::duration took) override {
      if (took < 100us) ++too_early;
      ++all;
    }
    std::atomic<std::uint64_t> all{0};
    std::atomic<std::uint64_t> too_early{0};
  };
  const auto watching = std::make_shared<counting>();
  asio::thread_pool pool(3);
  asio::thread_pool elsewhere(1);
  bus::consumer events(pool.get_executor(), {.concurrency = 3});
  events.observe(watching);
  std::atomic<std::uint64_t> runs{0};
  const auto handle = [&](const ping& event) -> awaitable<void> {
    ++runs;
    co_await bus::sleep(std::chrono::microseconds(event.number % 7 * 30));
  };
  events.handler(handle, {.timeout = 100us});
  events.handler(handle, {.executor = elsewhere.get_executor(), .timeout = 100us});
  const auto use = [&]() -> awaitable<void> {
    for (int n = 0; n < rounds(400); ++n) {
      (void)co_await events.send<ping>(n);
      if (n % 4 != 0) continue;
      try {
        co_await events.consume<ping>(n);
      } catch (const std::exception&) {  // too slow, one of its handlers or both
      }
    }
  };
  auto first = asio::co_spawn(asio::make_strand(pool), use(), asio::use_future);
  auto second = asio::co_spawn(pool, use(), asio::use_future);
  wait_for(std::move(first));
  wait_for(std::move(second));
  CHECK(wait_for(pool, events.drain(msgbus_test::deadline)).abandoned == 0);
  pool.join();
  elsewhere.join();
  const auto counted = events.stats();
  CHECK(is_conserved(counted));
  CHECK(counted.overran == watching->all);
  CHECK(watching->too_early == 0);
  CHECK(counted.overran >= counted.failed);
  CHECK(counted.overran <= runs);
}

}  // namespace policies_test
