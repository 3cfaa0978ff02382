#include "transport/reply_table.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace reply_table_test {

using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using msgbus::transport::awaited_reply;
using namespace std::chrono_literals;
using reply_table = msgbus::transport::reply_table<std::string>;

namespace {

asio::awaitable<std::string> asked(reply_table& table, std::uint64_t& number,
                                   std::chrono::nanoseconds timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const awaited_reply<std::string> mine(table, here, timeout);
  number = mine.number();
  co_await mine.promise()->one_shot_event::wait();
  std::string came;
  if (mine.promise()->is_answered()) {
    came = mine.promise()->answer();
  } else if (mine.promise()->is_late()) {
    came = "late";
  } else {
    msgbus::exec::throw_aborted("the test");
  }
  co_return came;
}

}  // namespace

TEST_CASE("replies that are given together go to the requests with their numbers") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  auto one = context.spawn(asked(table, first, 1s));
  auto other = context.spawn(asked(table, second, 1s));
  context.run();
  std::vector<reply_table::given> all(4);
  all[0] = {second, "to the second"};
  all[1] = {second, "a second reply"};
  all[2] = {0, "to nobody"};
  all[3] = {first, "to the first"};
  table.give(all);
  CHECK(all.empty());
  context.run();
  REQUIRE(one.done());
  CHECK(one.get() == "to the first");
  REQUIRE(other.done());
  CHECK(other.get() == "to the second");
  CHECK(table.size() == 0);
}

TEST_CASE("a reply goes to the request with its number, and to no later one") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  // given: two requests
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  auto one = context.spawn(asked(table, first, 1s));
  auto other = context.spawn(asked(table, second, 1s));
  context.run();
  CHECK(table.size() == 2);
  CHECK(clock.waiting() == 1);
  CHECK(first != second);
  CHECK(table.give(second, "to the second"));
  CHECK_FALSE(table.give(second, "a second reply"));
  context.run();
  // then: it gets the first reply, and a late one is refused
  REQUIRE(other.done());
  CHECK(other.get() == "to the second");
  CHECK_FALSE(table.give(second, "too late"));
  CHECK_FALSE(one.done());
  CHECK(table.give(first, "to the first"));
  context.run();
  CHECK(one.get() == "to the first");
  CHECK(table.size() == 0);
  CHECK(clock.waiting() == 0);
}

TEST_CASE("a reply times out by the clock of the caller's context") {
  stepping_context context;
  manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto one = context.spawn(asked(table, number, 1s));
  clock.run_for(context, 999ms);
  CHECK_FALSE(one.done());
  clock.run_for(context, 1ms);
  REQUIRE(one.done());
  CHECK(one.get() == "late");
  CHECK(table.size() == 0);
}

TEST_CASE("a request with a zero timeout times out, and one with an infinite timeout waits") {
  stepping_context context;
  manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto none = context.spawn(asked(table, number, -1s));
  auto ever = context.spawn(asked(table, number, std::chrono::nanoseconds::max()));
  clock.run_for(context, 24h);
  CHECK(none.get() == "late");
  CHECK_FALSE(ever.done());
  table.end("ended");
  context.run();
  CHECK(ever.done());
}

TEST_CASE("requests with different times are late one after the other, by one timer") {
  stepping_context context;
  manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto later = context.spawn(asked(table, number, 3s));
  auto answered = context.spawn(asked(table, number, 1s));
  context.run();
  CHECK(table.give(number, "answered"));
  auto sooner = context.spawn(asked(table, number, 2s));
  context.run();
  CHECK(answered.get() == "answered");
  CHECK(clock.waiting() == 1);
  clock.run_for(context, 1999ms);
  CHECK_FALSE(sooner.done());
  clock.run_for(context, 1ms);
  CHECK(sooner.get() == "late");
  CHECK_FALSE(later.done());
  clock.run_for(context, 1s);
  CHECK(later.get() == "late");
  CHECK(clock.waiting() == 0);
}

TEST_CASE("replies that wait when their connection is lost end at once, and later ones wait") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto before = context.spawn(asked(table, number, 1s));
  context.run();
  table.interrupt("lost");
  auto after = context.spawn(asked(table, number, 1s));
  context.run();
  REQUIRE(before.done());
  CHECK(before.get() == "lost");
  CHECK_FALSE(after.done());
  CHECK(table.give(number, "after"));
  context.run();
  CHECK(after.get() == "after");
}

TEST_CASE("replies that wait when their table is ended end at once, and so do later ones") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto before = context.spawn(asked(table, number, 1s));
  context.run();
  table.end("closed");
  table.end("closed again");
  CHECK(table.has_ended());
  auto after = context.spawn(asked(table, number, 1s));
  context.run();
  REQUIRE(before.done());
  REQUIRE(after.done());
  CHECK(number == 0);
  CHECK(before.get() == "closed");
  CHECK(after.get() == "closed");
}

TEST_CASE("a cancelled request ends with operation_aborted, and leaves no timer", "[A9]") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  // given: a pending request
  auto one = context.spawn(asked(table, number, 1s));
  context.run();
  CHECK(clock.waiting() == 1);
  // when: it is cancelled
  one.cancel();
  context.run();
  REQUIRE(one.done());
  std::exception_ptr thrown;
  try {
    (void)one.get();
  } catch (...) {
    thrown = std::current_exception();
  }
  // then: it ends with operation_aborted, and its entry and timer are removed
  CHECK(msgbus::exec::is_aborted(thrown));
  CHECK(table.size() == 0);
  CHECK_FALSE(table.give(number, "too late"));
  CHECK(clock.waiting() == 0);
}

TEST_CASE("each of many requests ends once, by a reply, its time, or the end of all") {
  constexpr int requests = 2000;
  asio::thread_pool pool(2);
  reply_table table;
  std::atomic<int> ended{0};
  std::vector<std::uint64_t> numbers(requests);
  auto ask = [&](int index) -> asio::awaitable<void> {
    auto asking = asked(table, numbers[static_cast<std::size_t>(index)],
                        std::chrono::microseconds(index % 200));
    (void)co_await std::move(asking);
    ++ended;
  };
  // Whatever numbers there are: most are those of the first places.
  std::thread giver([&] {
    for (std::uint64_t turn = 1; ended < requests; turn = turn % 50 + 1) {
      for (std::uint64_t place = 0; place < 64; ++place) table.give(turn << 32 | place, "given");
    }
  });
  std::thread interrupter([&] {
    while (ended < requests) {
      table.interrupt("interrupted");
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < requests; ++i) {
    asio::co_spawn(pool, ask(i), [](const std::exception_ptr& failed) {
      if (failed) std::terminate();
    });
  }
  pool.join();
  giver.join();
  interrupter.join();
  CHECK(ended == requests);
  CHECK(table.size() == 0);
}

TEST_CASE("a request whose context is destroyed leaves the table", "[A12]") {
  reply_table table;
  std::uint64_t number = 0;
  {
    asio::io_context context;
    const msgbus::testing::spawned<std::string> one(context.get_executor(),
                                                    asked(table, number, 1h));
    context.poll();
    CHECK(table.size() == 1);
  }
  CHECK(table.size() == 0);
  CHECK_FALSE(table.give(number, "too late"));
}

}  // namespace reply_table_test
