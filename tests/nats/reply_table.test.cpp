#include "nats/reply_table.hpp"

#include <msgbus/detail/exec/cancellation.hpp>
#include <msgbus/testing/manual_clock.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace reply_table_test {

using msgbus::nats::answer;
using msgbus::nats::deadline;
using msgbus::nats::reply_table;
using msgbus::testing::manual_clock;
using msgbus::testing::stepping_context;
using namespace std::chrono_literals;

namespace {

asio::awaitable<answer> asked(reply_table& table, std::uint64_t& number,
                              std::chrono::nanoseconds timeout) {
  const asio::any_io_executor here = co_await asio::this_coro::executor;
  const deadline until(here, timeout);
  const reply_table::pending_reply mine(table, here);
  number = mine.number();
  co_return co_await mine.wait(until);
}

answer with(std::string payload) {
  answer made;
  made.payload = std::move(payload);
  return made;
}

}  // namespace

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
  CHECK(first != second);
  // when: two replies to the second one arrive
  CHECK(table.give(second, with("to the second")));
  CHECK(table.give(second, with("a second reply")));  // the request has not taken the first yet
  context.run();
  // then: it gets the first reply, and a late one is refused
  REQUIRE(other.done());
  CHECK(other.get().payload == "to the second");
  CHECK_FALSE(table.give(second, with("too late")));
  // then: the other request still waits for its own reply
  CHECK_FALSE(one.done());
  CHECK(table.give(first, with("to the first")));
  context.run();
  CHECK(one.get().payload == "to the first");
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
  CHECK(one.get().came == answer::end::late);
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
  CHECK(none.get().came == answer::end::late);
  CHECK_FALSE(ever.done());
  table.close();
  context.run();
  CHECK(ever.done());
}

TEST_CASE("pending replies end at once when their connection is lost, and later ones wait") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto before = context.spawn(asked(table, number, 1s));
  context.run();
  table.interrupt();
  auto after = context.spawn(asked(table, number, 1s));
  context.run();
  REQUIRE(before.done());
  CHECK(before.get().came == answer::end::lost);
  CHECK_FALSE(after.done());
  CHECK(table.give(number, with("after")));
  context.run();
  CHECK(after.get().payload == "after");
}

TEST_CASE("pending replies end at once when their table is closed, and so do later ones") {
  stepping_context context;
  const manual_clock clock(context);
  reply_table table;
  std::uint64_t number = 0;
  auto before = context.spawn(asked(table, number, 1s));
  context.run();
  table.close();
  auto after = context.spawn(asked(table, number, 1s));
  context.run();
  REQUIRE(before.done());
  REQUIRE(after.done());
  CHECK(before.get().came == answer::end::closed);
  CHECK(after.get().came == answer::end::closed);
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
  CHECK_FALSE(table.give(number, with("too late")));
  CHECK(clock.waiting() == 0);
}

TEST_CASE("a request whose context is destroyed leaves the table", "[A12]") {
  reply_table table;
  std::uint64_t number = 0;
  {
    asio::io_context context;
    const msgbus::testing::spawned<answer> one(context.get_executor(), asked(table, number, 1h));
    context.poll();
    CHECK(table.size() == 1);
  }
  CHECK(table.size() == 0);
  CHECK_FALSE(table.give(number, with("too late")));
}

}  // namespace reply_table_test
