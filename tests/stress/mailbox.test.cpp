// Many threads send to one mailbox: order (A4), bounds (A6), conservation (A7), and nobody waits
// for ever.

#include <msgbus/detail/exec/mailbox.hpp>

#include "support/catch.hpp"
#include "support/mailboxes.hpp"
#include "support/thread_group.hpp"

#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace mailbox_test {

using msgbus::mailbox_options;
using msgbus::exec::put;
using msgbus_test::box;
using msgbus_test::numbered;
using msgbus_test::rounds;

namespace {

// Where a mailbox lives: an io_context with one thread, or a pool of two.
class home {
 public:
  explicit home(bool pool) {
    if (pool) {
      pool_.emplace(2);
    } else {
      context_.emplace(1);
      work_.emplace(context_->get_executor());
      thread_ = std::thread([this] { context_->run(); });
    }
  }
  ~home() { stop(); }
  home(const home&) = delete;

  [[nodiscard]] asio::any_io_executor executor() {
    if (pool_) return pool_->get_executor();
    return context_->get_executor();
  }
  void stop() {
    if (pool_) {
      pool_->stop();
      pool_->join();
    } else {
      work_.reset();
      context_->stop();
      if (thread_.joinable()) thread_.join();
    }
  }

 private:
  std::optional<asio::thread_pool> pool_;
  std::optional<asio::io_context> context_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::thread thread_;
};

struct tally {
  std::atomic<int> taken{0};
  std::atomic<int> refused{0};
};

// Sends the numbers from 0 on until all are sent or the mailbox is closed: by `send`, by `post`
// where there is room, or by either in turn.
asio::awaitable<void> produce(std::shared_ptr<box> to, int from, int many, bool hop,
                              std::shared_ptr<tally> counted) {
  for (int i = 0; i < many; ++i) {
    if (hop) co_await asio::post(asio::use_awaitable);
    put result = put::full;
    if ((i + from) % 3 == 0) result = to->post(i, from);
    if (result == put::full) result = co_await box::send(to, i, from);
    if (result == put::closed) {
      ++counted->refused;
      co_return;
    }
    ++counted->taken;
  }
}

// Threads that run producers to their end.
class producers {
 public:
  void start_on_thread(asio::awaitable<void> work) {
    auto& mine = *contexts_.emplace_back(std::make_unique<asio::io_context>(1));
    spawn(mine.get_executor(), std::move(work));
    threads_.emplace_back([&mine] { mine.run(); });
  }
  void start_on_pool(asio::awaitable<void> work) { spawn(pool_.get_executor(), std::move(work)); }

  void wait() {
    for (const auto& each : ended_) {
      if (each.wait_for(msgbus_test::deadline) != std::future_status::ready) {
        // Nothing can be joined any more.
        std::fprintf(stderr, "a sender waits for ever\n");
        std::abort();
      }
    }
    for (std::thread& each : threads_) each.join();
    for (auto& each : ended_) each.get();
  }

 private:
  void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work) {
    auto ended = std::make_shared<std::promise<void>>();
    ended_.push_back(ended->get_future());
    asio::co_spawn(executor, std::move(work), [ended](const std::exception_ptr& failure) {
      if (failure) {
        ended->set_exception(failure);
      } else {
        ended->set_value();
      }
    });
  }

  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  std::vector<std::future<void>> ended_;
  std::vector<std::thread> threads_;
  asio::thread_pool pool_{2};
};

bool ends(const box& which, int messages) {
  const auto until = std::chrono::steady_clock::now() + msgbus_test::deadline;
  while (which.ended() < static_cast<std::size_t>(messages)) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return which.ended() == static_cast<std::size_t>(messages);
}

asio::awaitable<void> turn() { co_await asio::post(asio::use_awaitable); }

// What a mailbox's own loops see.
struct watched {
  std::atomic<bool> in_order{true};
  std::atomic<bool> over{false};
  std::atomic<int> begun{0};
  std::vector<int> next;
};

}  // namespace

TEST_CASE("messages of many senders: in order, within bounds, none lost, nobody waits for ever",
          "[A4][A5][A6][A7]") {
  constexpr int threads = 3;
  const int each = rounds(1500);
  for (const bool pool : {false, true}) {
    for (const std::size_t loops : {1U, 4U}) {
      for (const std::size_t capacity : {1U, 2U, 3U, 64U}) {
        for (const bool suspends : {false, true}) {
          home lives(pool);
          const auto to = box::make(lives.executor(), {.capacity = capacity, .concurrency = loops});
          watched seen;
          seen.next.assign(threads + 1, 0);
          to->on_message = [&](const numbered& what) {
            // Read first: what begins meanwhile makes it look like less. A message that a consumer
            // loop has just taken is not counted yet.
            const auto accepted = static_cast<std::int64_t>(to->mailbox.accepted());
            if (accepted - ++seen.begun > static_cast<std::int64_t>(capacity + loops)) {
              seen.over = true;
            }
            if (loops != 1) return;
            int& next = seen.next[static_cast<std::size_t>(what.from)];
            if (what.number != next++) seen.in_order = false;
          };
          if (suspends) {
            to->on_rest = [](numbered what) -> asio::awaitable<void> {
              if (what.number % 2 == 0) co_await turn();
            };
          }
          const auto counted = std::make_shared<tally>();
          producers all;
          for (int from = 0; from < threads; ++from) {
            all.start_on_thread(produce(to, from, each, false, counted));
          }
          all.start_on_pool(produce(to, threads, each, true, counted));  // a baton between threads
          all.wait();
          CHECK(counted->taken == (threads + 1) * each);
          CHECK(ends(*to, (threads + 1) * each));
          CHECK(to->handled().size() == static_cast<std::size_t>((threads + 1) * each));
          CHECK(seen.in_order);
          CHECK_FALSE(seen.over);
          CHECK(to->most_running <= static_cast<int>(loops));
          CHECK(to->mailbox.size() == 0);
        }
      }
    }
  }
}

TEST_CASE("two threads that synchronise with each other send in that order", "[A4]") {
  home lives(true);
  const auto to = box::make(lives.executor(), {.capacity = 100'000});
  const int many = rounds(10'000);
  std::atomic<int> baton{0};
  const auto take_turns = [&](int mine) {
    for (int i = mine; i < many; i += 2) {
      while (baton.load(std::memory_order_acquire) != i) std::this_thread::yield();
      while (to->post(i) == put::full) std::this_thread::yield();
      baton.store(i + 1, std::memory_order_release);
    }
  };
  std::thread other([&] { take_turns(1); });
  take_turns(0);
  other.join();
  REQUIRE(ends(*to, many));
  const std::vector<int> all = to->handled();
  CHECK(std::is_sorted(all.begin(), all.end()));
}

TEST_CASE("one message at a time, each to a mailbox that is just falling asleep, is handled",
          "[A7]") {
  for (const bool pool : {false, true}) {
    for (const std::size_t loops : {1U, 2U}) {
      home lives(pool);
      const auto to = box::make(lives.executor(), {.capacity = 1, .concurrency = loops});
      const int many = rounds(4000);
      std::minstd_rand random(7);
      for (int i = 0; i < many; ++i) {
        REQUIRE(to->post(i) == put::taken);
        REQUIRE(ends(*to, i + 1));
        for (auto spins = random() % 200; spins != 0; --spins) (void)to->mailbox.size();
      }
    }
  }
}

TEST_CASE("a mailbox that is closed, discarded or left amid traffic accounts for every message",
          "[A7][A10]") {
  enum class end { close, discard, leave };
  constexpr int threads = 3;
  std::minstd_rand random(11);
  for (int round = 0; round < rounds(60); ++round) {
    home lives(round % 2 == 0);
    const std::size_t capacity = 1 + random() % 4;
    auto to = box::make(lives.executor(),
                        {.capacity = capacity, .concurrency = round % 3 == 0 ? 4U : 1U});
    if (round % 4 < 2) to->on_rest = [](numbered) { return turn(); };
    const auto counted = std::make_shared<tally>();
    producers all;
    for (int from = 0; from < threads; ++from) {
      all.start_on_thread(produce(to, from, 1 << 30, false, counted));
    }
    all.start_on_pool(produce(to, threads, 1 << 30, true, counted));
    const std::size_t until = random() % 400;
    while (to->ended() < until) std::this_thread::yield();
    const end how = static_cast<end>(round / 4 % 3);
    if (how == end::close) {
      to->mailbox.close();
    } else {
      to->mailbox.discard();
    }
    const std::weak_ptr<box> watch = to;
    if (how == end::leave) to.reset();
    all.wait();
    CHECK(counted->refused == threads + 1);
    if (how == end::leave) {
      const auto deadline = std::chrono::steady_clock::now() + msgbus_test::deadline;
      while (!watch.expired() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
      }
      CHECK(watch.expired());
    } else {
      CHECK(ends(*to, counted->taken));
      CHECK(to->mailbox.accepted() == static_cast<std::uint64_t>(counted->taken.load()));
      CHECK(to->mailbox.size() == 0);
      if (how == end::close) CHECK(to->given_up().empty());
    }
  }
}

TEST_CASE("a context that is stopped and destroyed lets the senders of other threads go",
          "[A7][A10][A12]") {
  constexpr int threads = 3;
  std::minstd_rand random(13);
  for (int round = 0; round < rounds(40); ++round) {
    std::optional<home> lives(std::in_place, round % 2 == 0);
    const auto to = box::make(
        lives->executor(), {.capacity = 1 + random() % 3, .concurrency = round % 2 == 0 ? 1U : 4U});
    if (round % 4 < 2) to->on_rest = [](numbered) { return turn(); };
    const auto counted = std::make_shared<tally>();
    producers all;
    for (int from = 0; from < threads; ++from) {
      all.start_on_thread(produce(to, from, 1 << 30, false, counted));
    }
    const std::size_t until = random() % 100;
    while (to->ended() < until) std::this_thread::yield();
    lives->stop();
    // All wait now, or will: nobody uses the context that goes. Read in this order: where the first
    // and the last agree, no message came in between, and a mailbox that was full then stays so.
    const auto deadline = std::chrono::steady_clock::now() + msgbus_test::deadline;
    const auto all_wait = [&] {
      const auto taken = static_cast<std::uint64_t>(counted->taken.load());
      return to->waiting() == threads && to->mailbox.size() == to->mailbox.capacity() &&
             to->mailbox.accepted() == taken;
    };
    while (!all_wait() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    REQUIRE(all_wait());
    lives.reset();
    all.wait();
    CHECK(counted->refused == threads);
    CHECK(to->ended() == static_cast<std::size_t>(counted->taken));
  }
}

}  // namespace mailbox_test
