#include <msgbus/detail/exec/stream_queue.hpp>

#include <msgbus/detail/exec/timer.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/thread_pool.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace stream_queue_test {

using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::manual_clock;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;
using queue = msgbus::exec::stream_queue<int>;
using numbers = std::vector<int>;

namespace {

std::shared_ptr<queue> make(const mailbox_options& options = {}) {
  return std::make_shared<queue>(options);
}

numbers one_to(int last) {
  numbers all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

asio::awaitable<void> put_all(std::shared_ptr<queue> to, int first, int last) {
  for (int i = first; i <= last; ++i) {
    if (!to->try_put(i)) co_await queue::put(to, i);
  }
}

asio::awaitable<std::optional<int>> take_one(std::shared_ptr<queue> from) {
  co_return co_await queue::next(from);
}

asio::awaitable<void> put_one(std::shared_ptr<queue> to, int value) {
  co_await queue::put(to, value);
}

asio::awaitable<void> take_all(std::shared_ptr<queue> from, numbers& taken) {
  for (;;) {
    const std::optional<int> next = co_await queue::next(from);
    if (!next) co_return;
    taken.push_back(*next);
  }
}

// Takes with a time limit, again and again until the stream has ended.
asio::awaitable<void> take_in_time(std::shared_ptr<queue> from, numbers& taken, int& timeouts) {
  using namespace asio::experimental::awaitable_operators;
  for (;;) {
    auto either = queue::next(from) || msgbus::exec::sleep(1s);
    const auto result = co_await std::move(either);
    if (result.index() == 1) {
      ++timeouts;
    } else if (const auto& next = std::get<0>(result)) {
      taken.push_back(*next);
    } else {
      co_return;
    }
  }
}

}  // namespace

TEST_CASE("events are taken out in the order of putting in") {
  stepping_context context;
  const auto events = make();
  for (int i = 1; i <= 5; ++i) REQUIRE(events->try_put(i));
  CHECK(events->size() == 5);
  numbers taken;
  auto taking = context.spawn(take_all(events, taken));
  context.run();
  CHECK(taken == one_to(5));
  CHECK(events->size() == 0);
  REQUIRE(events->try_put(6));
  context.run();
  CHECK(taken == one_to(6));
  CHECK_FALSE(taking.done());
}

TEST_CASE("a stream that has ended gives its remaining events, and then nothing", "[A10]") {
  stepping_context context;
  const auto events = make();
  for (int i = 1; i <= 3; ++i) REQUIRE(events->try_put(i));
  events->end();
  CHECK(events->try_put(4));  // it does not make its sender wait
  CHECK(events->lost() == 1);
  numbers taken;
  context.run(take_all(events, taken));
  CHECK(taken == one_to(3));
}

TEST_CASE("the end wakes all waiting coroutines", "[A10]") {
  stepping_context context(shuffled{2});
  const auto events = make({.capacity = 1});
  numbers taken;
  std::vector<spawned<void>> waiting;
  SECTION("to take") {
    for (int i = 0; i < 3; ++i) waiting.push_back(context.spawn(take_all(events, taken)));
  }
  SECTION("to put") {
    REQUIRE(events->try_put(1));
    for (int i = 2; i <= 4; ++i) waiting.push_back(context.spawn(put_all(events, i, i)));
  }
  context.run();
  for (const auto& each : waiting) CHECK_FALSE(each.done());
  events->end();
  context.run();
  for (const auto& each : waiting) CHECK(each.done());
}

TEST_CASE("a full stream makes its senders wait, and never holds more than its capacity", "[A6]") {
  for (const std::size_t capacity : {0U, 1U, 2U, 3U}) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      stepping_context context(shuffled{seed});
      const auto events = make({.capacity = capacity});
      numbers taken;
      std::vector<spawned<void>> putting;
      for (int i = 0; i < 3; ++i) {
        putting.push_back(context.spawn(put_all(events, i * 10 + 1, i * 10 + 10)));
      }
      auto taking = context.spawn(take_all(events, taken));
      std::size_t most = 0;
      while (context.step()) most = std::max(most, events->size());
      CHECK(most <= std::max<std::size_t>(capacity, 1));
      for (const auto& each : putting) CHECK(each.done());
      events->end();
      context.run();
      CHECK(taking.done());
      CHECK(events->lost() == 0);
      std::sort(taken.begin(), taken.end());
      CHECK(taken == one_to(30));
    }
  }
}

TEST_CASE("the other policies do what they say, counted", "[A6]") {
  const overflow how = GENERATE(overflow::reject, overflow::drop_newest, overflow::drop_oldest);
  stepping_context context;
  const auto events = make({.capacity = 2, .on_full = how});
  for (int i = 1; i <= 5; ++i) CHECK(events->try_put(i));
  CHECK(events->size() == 2);
  CHECK(events->lost() == 3);
  events->end();
  numbers taken;
  context.run(take_all(events, taken));
  CHECK(taken == (how == overflow::drop_oldest ? numbers{4, 5} : numbers{1, 2}));
}

TEST_CASE("each event goes to one of the waiting coroutines, and none stays behind", "[A9]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    stepping_context context(shuffled{seed});
    const auto events = make({.capacity = 2});
    numbers taken;
    std::vector<spawned<void>> taking;
    for (int i = 0; i < 3; ++i) taking.push_back(context.spawn(take_all(events, taken)));
    auto putting = context.spawn(put_all(events, 1, 20));
    context.run();
    CHECK(putting.done());
    CHECK(events->size() == 0);
    std::sort(taken.begin(), taken.end());
    CHECK(taken == one_to(20));
  }
}

TEST_CASE("a cancelled wait has taken nothing, and its event goes to another", "[A9]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (int steps = 0; steps < 20; ++steps) {
      stepping_context context(shuffled{seed});
      const auto events = make();
      auto first = context.spawn(take_one(events));
      auto second = context.spawn(take_one(events));
      auto putting = context.spawn(put_all(events, 1, 1));
      for (int i = 0; i < steps; ++i) context.step();
      first.cancel();
      context.run();
      REQUIRE(first.done());
      CHECK(putting.done());
      if (first.failure()) {
        CHECK(second.done());
        CHECK(second.get() == 1);
      } else {
        CHECK(first.get() == 1);
        CHECK_FALSE(second.done());
      }
      CHECK(events->size() == 0);
    }
  }
}

TEST_CASE("a cancelled put has put nothing, and its room goes to another", "[A9]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (int steps = 0; steps < 25; ++steps) {
      stepping_context context(shuffled{seed});
      const auto events = make({.capacity = 1});
      REQUIRE(events->try_put(1));
      auto second = context.spawn(put_one(events, 2));
      auto third = context.spawn(put_one(events, 3));
      numbers taken;
      auto taking = context.spawn(take_all(events, taken));
      for (int i = 0; i < steps; ++i) context.step();
      second.cancel();
      context.run();
      REQUIRE(second.done());
      REQUIRE(third.done());
      const bool put = !second.failure();
      CHECK(taken.size() == (put ? 3U : 2U));
      CHECK(std::count(taken.begin(), taken.end(), 2) == (put ? 1 : 0));
    }
  }
}

TEST_CASE("`next() || timer` loses nothing, however the two meet", "[A9]") {
  int timeouts = 0;
  for (int put_at = 0; put_at < 14; ++put_at) {
    for (int expire_at = 0; expire_at < 14; ++expire_at) {
      stepping_context context;
      manual_clock clock(context);
      const auto events = make({.capacity = 2});
      numbers taken;
      auto taking = context.spawn(take_in_time(events, taken, timeouts));
      int sent = 0;
      for (int step = 0; step < 40; ++step) {
        if (step % 14 == put_at && events->size() < 2) REQUIRE(events->try_put(++sent));
        if (step % 14 == expire_at) clock.advance(1s);
        context.step();
      }
      context.run();
      CHECK(events->size() == 0);
      CHECK(taken == one_to(sent));
      events->end();
      clock.run_for(context, 10s);
      CHECK(taking.done());
    }
  }
  CHECK(timeouts > 100);
}

TEST_CASE("`next() || timer` loses nothing in whatever order steps are done", "[A9]") {
  int timeouts = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    stepping_context context(shuffled{seed});
    manual_clock clock(context);
    const auto events = make({.capacity = 1 + seed % 3});
    numbers taken;
    auto taking = context.spawn(take_in_time(events, taken, timeouts));
    auto other = context.spawn(take_in_time(events, taken, timeouts));
    auto putting = context.spawn(put_all(events, 1, 12));
    for (std::uint64_t step = 0; !putting.done(); ++step) {
      if (step % (seed % 7 + 1) == 0) clock.advance(1s);
      if (!context.step() && !clock.advance_to_next()) break;
    }
    REQUIRE(putting.done());
    events->end();
    clock.run_for(context, 10s);
    CHECK(taking.done());
    CHECK(other.done());
    CHECK(events->lost() == 0);
    std::sort(taken.begin(), taken.end());
    CHECK(taken == one_to(12));
  }
  CHECK(timeouts > 100);
}

TEST_CASE("threads put and take: nothing is lost, and nobody waits for ever", "[A7]") {
  const int each = msgbus_test::rounds(3000);
  for (const std::size_t capacity : {1U, 2U, 64U}) {
    asio::thread_pool pool(3);
    const auto events = make({.capacity = capacity});
    std::vector<numbers> taken(2);
    std::vector<std::future<void>> putting, taking;
    const auto start = [&](asio::awaitable<void> work, std::vector<std::future<void>>& in) {
      auto ended = std::make_shared<std::promise<void>>();
      in.push_back(ended->get_future());
      asio::co_spawn(pool, std::move(work), [ended](const std::exception_ptr& failure) {
        if (failure) {
          ended->set_exception(failure);
        } else {
          ended->set_value();
        }
      });
    };
    for (numbers& to : taken) start(take_all(events, to), taking);
    for (int i = 0; i < 3; ++i) start(put_all(events, i * each + 1, (i + 1) * each), putting);
    msgbus_test::end_of_all(putting, "those that put");
    events->end();
    msgbus_test::end_of_all(taking, "those that take");
    numbers all = taken[0];
    all.insert(all.end(), taken[1].begin(), taken[1].end());
    std::sort(all.begin(), all.end());
    CHECK(all == one_to(3 * each));
    pool.join();
  }
}

TEST_CASE("a stream and its waiting coroutines are torn down safely after every step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context)
        : clock(context),
          taking(context.spawn(take_in_time(events, taken, timeouts))),
          putting(context.spawn(put_all(events, 1, 3))),
          more(context.spawn(put_all(events, 4, 6))) {}
    ~scenario() { events->end(); }
    std::shared_ptr<queue> events = make({.capacity = 1});
    manual_clock clock;
    numbers taken;
    int timeouts = 0;
    spawned<void> taking, putting, more;
  };
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto report = cut_off_at_every_step(
        [](stepping_context& context) { return std::make_unique<scenario>(context); },
        {.order = msgbus::testing::teardown::context_first, .shuffle = shuffled{seed}});
    CHECK(report.steps > 10);
  }
}

}  // namespace stream_queue_test
