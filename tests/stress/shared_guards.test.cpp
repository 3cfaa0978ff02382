// Breaker, rate limiter and semaphore, each shared by four threads that run on their own: by sync
// handlers, and by consumers whose executors are different ones.

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/sync.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace shared_guards_test {

namespace bus = msgbus::async;
using asio::awaitable;
using msgbus::circuit_breaker;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t threads = 4;

struct ping {
  int number = 0;
};

/// A thread with a consumer of its own, and a coroutine that sends to it.
struct side {
  explicit side(bus::mailbox_options options) : events(pool.get_executor(), options) {
    events.observe(std::make_shared<msgbus::observer>());
  }
  template <class T>
  T wait(awaitable<T> what) {
    auto result = asio::co_spawn(pool, std::move(what), asio::use_future);
    return msgbus_test::end_of(std::move(result), "an awaitable");
  }
  asio::thread_pool pool{1};
  bus::consumer events;
};

awaitable<void> send_all(bus::consumer& to, int many) {
  for (int n = 0; n < many; ++n) (void)co_await to.send<ping>(n);
}

/// So many runs at once at most, of all sides together.
class most_at_once {
 public:
  explicit most_at_once(int most) : most_(most) {}
  [[nodiscard]] auto enter() {
    if (++inside_ > most_) exceeded_ = true;
    return std::shared_ptr<void>(nullptr, [this](void*) { --inside_; });
  }
  [[nodiscard]] bool exceeded() const { return exceeded_; }

 private:
  const int most_;
  std::atomic<int> inside_{0};
  std::atomic<bool> exceeded_{false};
};

}  // namespace

TEST_CASE("sync handlers on four threads share a breaker and a limiter", "[P2][D7]") {
  const auto breaker = std::make_shared<circuit_breaker>(msgbus::breaker_options{
      .minimum = 4, .sampling = 5ms, .open_for = 100us, .max_open_for = 1ms});
  const auto limiter = std::make_shared<msgbus::rate_limiter>(
      msgbus::rate_limit{.permits = 200, .per = 1ms, .burst = 50});
  const auto began = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> runs{0};
  std::atomic<std::uint64_t> well{0};
  std::atomic<std::uint64_t> refused{0};
  msgbus::sync::consumer events;
  events.handler(
      [&](const ping& event) {
        ++runs;
        if (event.number % 3 == 0) throw std::runtime_error("down");
        ++well;
      },
      {.breaker = breaker, .retry = {.attempts = 2}, .rate_limit = {.limiter = limiter}});
  std::vector<std::future<std::uint64_t>> all;
  for (std::size_t t = 0; t < threads; ++t) {
    all.push_back(std::async(std::launch::async, [&] {
      std::uint64_t handled = 0;
      for (int n = 0; n < rounds(3000); ++n) {
        try {
          events.consume(ping{n});
          ++handled;
        } catch (const msgbus::refused_error&) {
          ++refused;
        } catch (const std::runtime_error&) {
        }
      }
      return handled;
    }));
  }
  for (int n = 0; n < 200; ++n) {
    if (n % 20 == 0) breaker->isolate();
    (void)breaker->current();
    breaker->reset();
    std::this_thread::yield();
  }
  std::uint64_t handled = 0;
  for (const auto& each : all) msgbus_test::wait_for_end(each, "the verbs of a thread");
  for (auto& each : all) handled += each.get();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  CHECK(handled == well);
  // Each message took a permit, and made two attempts at most.
  CHECK(static_cast<double>(runs.load()) <= 2 * (50 + 200 * (took.count() + 1)));
  CHECK(limiter->waiting() == 0);
}

TEST_CASE("consumers on four executors share a semaphore, and cancelled waits give it up",
          "[P2][A9]") {
  const auto permits = std::make_shared<bus::semaphore>(2);
  most_at_once runs(2);
  std::array<std::unique_ptr<side>, threads> sides;
  for (auto& each : sides) {
    each = std::make_unique<side>(bus::mailbox_options{.capacity = 8, .concurrency = 3});
    each->events.handler(
        [&](const ping& event) -> awaitable<void> {
          const auto inside = runs.enter();
          if (event.number % 2 == 0) co_await msgbus_test::hop();
          if (event.number % 5 == 0) throw std::runtime_error("down");
        },
        {.semaphore = permits, .retry = {.attempts = 2, .backoff = 10us, .hold_order = false}});
  }
  const auto cancel_some = [](side& of) -> awaitable<void> {
    const auto here = co_await asio::this_coro::executor;
    for (int n = 0; n < rounds(200); ++n) {
      asio::cancellation_signal signal;
      auto verb = of.events.consume<ping>(n);
      bool done = false;
      auto ended = [&done](const std::exception_ptr&, std::size_t) { done = true; };
      asio::co_spawn(here, std::move(verb), asio::bind_cancellation_slot(signal.slot(), ended));
      if (n % 3 != 0) co_await msgbus_test::hop();
      signal.emit(asio::cancellation_type::terminal);
      while (!done) co_await msgbus_test::hop();
    }
  };
  std::vector<std::future<void>> all;
  for (auto& each : sides) {
    all.push_back(
        asio::co_spawn(each->pool, send_all(each->events, rounds(400)), asio::use_future));
    all.push_back(asio::co_spawn(each->pool, cancel_some(*each), asio::use_future));
  }
  msgbus_test::end_of_all(all, "the senders");
  for (auto& each : sides) {
    const auto report = each->wait(each->events.drain(msgbus_test::deadline));
    CHECK(report.abandoned == 0);
    CHECK(is_conserved(each->events.stats()));
    each->pool.join();
  }
  CHECK_FALSE(runs.exceeded());
  CHECK(permits->available() == 2);
}

TEST_CASE("consumers on four executors that are cut short give a semaphore's permits back",
          "[P2][A12]") {
  for (int n = 0; n < rounds(20); ++n) {
    const auto permits = std::make_shared<bus::semaphore>(2);
    std::array<std::unique_ptr<side>, threads> sides;
    std::vector<std::future<void>> all;
    for (auto& each : sides) {
      each = std::make_unique<side>(bus::mailbox_options{.capacity = 100, .concurrency = 3});
      each->events.handler(
          [](const ping&) -> awaitable<void> { co_await msgbus::exec::sleep(20us); },
          {.semaphore = permits});
      for (int i = 0; i < 50; ++i) (void)each->events.post<ping>(i);
    }
    for (std::size_t i = 0; i < threads; ++i) {
      if (i % 2 == 0) {
        (void)sides[i]->wait(sides[i]->events.drain(std::chrono::microseconds(n * 50)));
      } else {
        sides[i]->pool.stop();
        sides[i]->pool.join();
      }
    }
    for (auto& each : sides) {
      each->pool.join();
      each.reset();
    }
    CHECK(permits->available() == 2);
  }
}

TEST_CASE("messages of four executors wait for a breaker that they share, and all are handled",
          "[P2][P3]") {
  const auto breaker =
      std::make_shared<circuit_breaker>(msgbus::breaker_options{.minimum = 3,
                                                                .sampling = 2ms,
                                                                .open_for = 50us,
                                                                .max_open_for = 500us,
                                                                .half_open_permits = 2});
  std::atomic<int> left_to_fail{rounds(300)};
  std::atomic<int> well{0};
  std::array<std::unique_ptr<side>, threads> sides;
  std::vector<std::future<void>> all;
  for (auto& each : sides) {
    each = std::make_unique<side>(bus::mailbox_options{.capacity = 16, .concurrency = 2});
    each->events.handler(
        [&](const ping& event) -> awaitable<void> {
          if (event.number % 4 == 0) co_await msgbus_test::hop();
          if (left_to_fail > 0 && --left_to_fail >= 0) throw std::runtime_error("down");
          ++well;
        },
        {.breaker = breaker,
         .retry = {.attempts = 1'000'000, .backoff = 10us, .max_backoff = 20us}});
    all.push_back(
        asio::co_spawn(each->pool, send_all(each->events, rounds(300)), asio::use_future));
  }
  for (int n = 0; n < 50; ++n) {
    breaker->isolate();
    std::this_thread::yield();
    breaker->reset();
  }
  msgbus_test::end_of_all(all, "the senders");
  for (auto& each : sides) {
    const auto report = each->wait(each->events.drain(msgbus_test::deadline));
    CHECK(report.abandoned == 0);
    each->pool.join();
  }
  CHECK(well == static_cast<int>(threads) * rounds(300));
}

}  // namespace shared_guards_test
