// Messages that four threads schedule and cancel while components drain, close and end.

#include <msgbus/async.hpp>

#include "support/awaiting.hpp"
#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace schedules_test {

namespace bus = msgbus::async;
using msgbus_test::is_conserved;
using msgbus_test::rounds;
using namespace std::chrono_literals;

namespace {

constexpr int threads = 4;
constexpr int each_thread = 250;

struct numbered {
  int n = 0;
};

/// What has become of each message.
struct ledger {
  enum state : int { scheduled, cancelled, handled };
  std::vector<std::atomic<int>> states = std::vector<std::atomic<int>>(threads * each_thread);
  std::atomic<int> wrong{0};

  void handle(const numbered& each) {
    if (each.n < 0) return;
    if (states[static_cast<std::size_t>(each.n)].exchange(handled) != scheduled) ++wrong;
  }
  void cancel(std::size_t n) {
    if (states[n].exchange(cancelled) != scheduled) ++wrong;
  }
  [[nodiscard]] std::uint64_t count(int which) const {
    std::uint64_t found = 0;
    for (const auto& each : states) found += each.load() == which ? 1U : 0U;
    return found;
  }
};

msgbus::drain_report wait_for(std::future<msgbus::drain_report> result) {
  return msgbus_test::end_of(std::move(result), "a drain");
}

/// Schedules with `at`, and cancels some of it.
template <class SendAt>
void use(SendAt at, unsigned seed, ledger& all, std::atomic<int>& started) {
  std::mt19937 random(seed);
  std::vector<std::pair<std::size_t, bus::scheduled>> handles;
  for (int i = 0; i < each_thread; ++i) {
    const auto n = static_cast<std::size_t>(i + each_thread * static_cast<int>(seed % threads));
    const auto due = std::chrono::steady_clock::now() + 1us * static_cast<long>(random() % 3000);
    handles.emplace_back(n, at(due, numbered{static_cast<int>(n)}));
    ++started;
    if (random() % 3 != 0) continue;
    auto& [number, handle] = handles[random() % handles.size()];
    if (handle.cancel()) all.cancel(number);
  }
}

}  // namespace

TEST_CASE("four threads schedule and cancel while a consumer drains, and nothing is lost",
          "[P2][P6][A7]") {
  for (int round = 0; round < rounds(60); ++round) {
    asio::thread_pool pool(2);
    ledger all;
    bus::consumer events(pool.get_executor(), {.capacity = 8});
    events.observe(std::make_shared<msgbus::observer>());
    events.handler([&](const numbered& each) -> asio::awaitable<void> {
      if (each.n % 4 == 0) co_await msgbus_test::hop();
      all.handle(each);
    });
    std::atomic<int> started{0};
    std::vector<std::thread> users;
    for (unsigned i = 0; i < threads; ++i) {
      const auto at = [&events](auto due, numbered each) { return events.send_at(due, each); };
      users.emplace_back([&, at, seed = static_cast<unsigned>(round) * threads + i] {
        use(at, seed, all, started);
      });
    }
    bus::scheduled ticks = events.every(200us, [] { return numbered{-1}; },
                                        {.missed = static_cast<bus::missed>(round % 2)});
    while (started < threads * each_thread / 2) std::this_thread::yield();
    const bool waits = round % 3 != 0;
    auto drain = events.drain(msgbus_test::deadline, {.wait_for_scheduled = waits});
    (void)wait_for(asio::co_spawn(pool, std::move(drain), asio::use_future));
    for (auto& each : users) each.join();
    CHECK(ticks.done());
    CHECK_FALSE(ticks.cancel());
    CHECK(events.due_later() == 0);
    const msgbus::counters stats = events.stats();
    CHECK(is_conserved(stats));
    CHECK(all.wrong == 0);
    if (waits) CHECK(stats.abandoned == 0);
    // Each one that was not cancelled was handled, rejected or given up, once. One tick may have
    // been given up, too: the one that was on its way to the mailbox.
    const auto cancelled = all.count(ledger::cancelled);
    const auto left = all.count(ledger::scheduled);
    CHECK(left <= stats.abandoned + stats.rejected);
    CHECK(left + (waits ? 0 : 1) >= stats.abandoned + stats.rejected);
    CHECK(cancelled + left + all.count(ledger::handled) == all.states.size());
    pool.join();
  }
}

TEST_CASE("four threads schedule with a producer while its consumers end one by one", "[P6][D8]") {
  for (int round = 0; round < rounds(60); ++round) {
    asio::thread_pool pool(2);
    ledger first, second;
    std::optional<bus::consumer> one(std::in_place, pool.get_executor(),
                                     bus::mailbox_options{.capacity = 8});
    std::optional<bus::consumer> two(std::in_place, pool.get_executor(),
                                     bus::mailbox_options{.capacity = 4});
    for (auto* const each : {&*one, &*two}) each->observe(std::make_shared<msgbus::observer>());
    one->handler([&](const numbered& each) { first.handle(each); });
    two->handler([&](const numbered& each) { second.handle(each); });
    bus::producer source;
    source.bind(*one, *two);
    std::atomic<int> started{0};
    std::vector<std::thread> users;
    ledger all;
    for (unsigned i = 0; i < threads; ++i) {
      const auto at = [&source](auto due, numbered each) { return source.send_at(due, each); };
      users.emplace_back([&, at, seed = static_cast<unsigned>(round) * threads + i] {
        use(at, seed, all, started);
      });
    }
    bus::scheduled ticks = source.every(100us, [] { return numbered{-1}; });
    while (started < threads * each_thread / 3) std::this_thread::yield();
    one.reset();
    while (started < threads * each_thread / 2) std::this_thread::yield();
    if (round % 2 == 0) {
      two.reset();
    } else {
      two->close();
    }
    for (auto& each : users) each.join();
    pool.join();  // one that was in hand when the last consumer closed ends there
    CHECK(ticks.done());
    CHECK(all.wrong + first.wrong + second.wrong == 0);
    for (std::size_t n = 0; n < all.states.size(); ++n) {
      if (all.states[n] != ledger::cancelled) continue;
      CHECK(first.states[n] == ledger::scheduled);
      CHECK(second.states[n] == ledger::scheduled);
    }
    if (two) CHECK(is_conserved(two->stats()));
  }
}

}  // namespace schedules_test
