#include <msgbus/detail/exec/synchronization.hpp>
#include <msgbus/testing/spawned.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace waits_test {

using msgbus::exec::async_event;
using msgbus::exec::async_semaphore;
using msgbus::exec::wait_group;
using msgbus_test::is_aborted;

namespace {

/// Coroutines of many threads that share some permits.
struct shared {
  explicit shared(std::size_t many) : permits(many) {}
  async_semaphore permits;
  wait_group busy;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<long> done{0};
  std::atomic<std::size_t> completed{0};
  std::atomic<std::size_t> aborted{0};
};

struct held_permit {
  shared& of;
  ~held_permit() {
    --of.inside;
    of.permits.release();
  }
};

asio::awaitable<void> use(std::shared_ptr<shared> of, int times) {
  struct counted {
    wait_group& group;
    ~counted() { group.done(); }
  };
  const counted mine{of->busy};
  for (int i = 0; i < times; ++i) {
    co_await of->permits.acquire();
    const held_permit held{*of};
    const int inside = ++of->inside;
    int most = of->most.load();
    while (inside > most && !of->most.compare_exchange_weak(most, inside)) {
    }
    co_await msgbus_test::hop();  // so that others wait meanwhile
    ++of->done;
  }
}

asio::awaitable<void> cancel_later(asio::cancellation_signal& signal, int hops) {
  co_await msgbus_test::hop(hops);
  signal.emit(asio::cancellation_type::terminal);
}

bool all_end(const shared& of, std::size_t coroutines) {
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (of.completed + of.aborted < coroutines) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

asio::awaitable<void> wait_for(std::shared_ptr<shared> of) { co_await of->busy.wait(); }

}  // namespace

TEST_CASE("threads share permits, none is lost and none is given twice") {
  for (int round = 0; round < msgbus_test::rounds(20); ++round) {
    auto of = std::make_shared<shared>(3);
    const int coroutines = 16, times = 50;
    asio::thread_pool pool(3);
    of->busy.add(coroutines);
    for (int i = 0; i < coroutines; ++i) {
      asio::co_spawn(asio::make_strand(pool), use(of, times), asio::detached);
    }
    std::atomic<bool> over{false};
    asio::co_spawn(asio::make_strand(pool), wait_for(of),
                   [&](const std::exception_ptr&) { over = true; });
    pool.join();
    CHECK(over);
    CHECK(of->done == coroutines * times);
    CHECK(of->most <= 3);
    CHECK(of->permits.available() == 3);
  }
}

TEST_CASE("waits are cancelled while other threads release, and no permit is lost", "[A9]") {
  for (int round = 0; round < msgbus_test::rounds(50); ++round) {
    auto of = std::make_shared<shared>(1);  // a lost one would stop them all
    asio::thread_pool pool(3);
    constexpr std::size_t coroutines = 16;
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    std::vector<asio::strand<asio::thread_pool::executor_type>> strands;
    of->busy.add(coroutines);
    for (std::size_t i = 0; i < coroutines; ++i) {
      signals.push_back(std::make_unique<asio::cancellation_signal>());
      strands.push_back(asio::make_strand(pool));
      asio::co_spawn(
          strands[i], use(of, 50),
          asio::bind_cancellation_slot(signals[i]->slot(), [of](const std::exception_ptr& failure) {
            ++(failure ? of->aborted : of->completed);
            if (failure) msgbus_test::expect(is_aborted(failure), "it was aborted");
          }));
    }
    for (std::size_t i = 0; i < coroutines; i += 2) {
      asio::co_spawn(strands[i], cancel_later(*signals[i], static_cast<int>(i)), asio::detached);
    }
    const bool ended = all_end(*of, coroutines);
    if (!ended) pool.stop();
    pool.join();
    REQUIRE(ended);
    CHECK(of->completed >= coroutines / 2);
    CHECK(of->busy.count() == 0);
    CHECK(of->most == 1);
    CHECK(of->permits.available() == 1);
  }
}

TEST_CASE("contexts are destroyed while another thread wakes their waiting coroutines", "[A12]") {
  struct round {
    std::optional<asio::io_context> context{std::in_place, 1};
    std::shared_ptr<async_event> event = std::make_shared<async_event>();
    std::shared_ptr<async_semaphore> permits = std::make_shared<async_semaphore>(0);
  };
  const auto wait = [](std::shared_ptr<async_event> event) -> asio::awaitable<void> {
    co_await event->wait();
  };
  const auto acquire = [](std::shared_ptr<async_semaphore> from) -> asio::awaitable<void> {
    co_await from->acquire();
  };
  std::vector<round> all(static_cast<std::size_t>(msgbus_test::rounds(500)));
  for (round& each : all) {
    for (int i = 0; i < 3; ++i) {
      asio::co_spawn(*each.context, wait(each.event), asio::detached);
      asio::co_spawn(*each.context, acquire(each.permits), asio::detached);
    }
    each.context->poll();
  }
  std::atomic<std::size_t> next{0};
  std::thread other([&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      while (next.load(std::memory_order_relaxed) < i) std::this_thread::yield();
      all[i].event->set();
      all[i].permits->release(2);
    }
  });
  for (std::size_t i = 0; i < all.size(); ++i) {
    next.store(i, std::memory_order_relaxed);
    all[i].context.reset();
  }
  other.join();
  for (const round& each : all) {
    CHECK(each.event.use_count() == 1);
    CHECK(each.permits->available() == 2);
  }
}

}  // namespace waits_test
