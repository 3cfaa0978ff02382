// What awaited verbs allocate, and how large their coroutines are.

#include <msgbus/async.hpp>
#include <msgbus/detail/exec/mailbox_strand.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

namespace verbs_test {

using asio::awaitable;
using msgbus::async::consumer;
using msgbus::async::producer;
using msgbus::async::publisher;
using msgbus::async::service;
using msgbus::async::subscriber;
using namespace std::chrono_literals;

namespace {

struct numbered {
  int n = 0;
};

awaitable<void> handle(const numbered&) { co_return; }

/// Allocations of so many calls, on a thread whose caches are warm.
template <class Call>
awaitable<void> count(Call call, int calls, long& counted) {
  for (int i = 0; i < 100; ++i) (void)co_await call(i);
  const long before = msgbus_test::allocations;
  for (int i = 0; i < calls; ++i) (void)co_await call(i);
  counted = msgbus_test::allocations - before;
}

template <class Call>
long cost_of(asio::io_context& io, Call call, int calls = 1000) {
  long counted = -1;
  std::exception_ptr failed;
  asio::co_spawn(io, count(call, calls, counted),
                 [&](const std::exception_ptr& failure) { failed = failure; });
  io.restart();
  io.run();
  if (failed) std::rethrow_exception(failed);
  return counted;
}

/// An io_context, and a thread that polls it.
class elsewhere {
 public:
  ~elsewhere() {
    over_ = true;
    thread_.join();
  }
  /// Returns when the thread has nothing to do, and has released all that it worked on.
  void wait_until_idle() const {
    const long now = idle_;  // the poll under way may have begun before
    while (idle_ < now + 2) std::this_thread::yield();
  }
  asio::io_context io{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{io.get_executor()};
  std::atomic<bool> over_{false};
  std::atomic<long> idle_{0};  // polls that found nothing
  std::thread thread_{[this] {
    while (!over_) {
      if (io.poll() == 0) ++idle_;
      std::this_thread::yield();
    }
  }};
};

/// As above, of calls whose work is elsewhere. The thread that releases an object last keeps its
/// memory for its next one, so the other thread always goes first here.
template <class Call>
long cost_of(asio::io_context& io, const elsewhere& there, Call call, int calls = 1000) {
  long counted = -1;
  std::exception_ptr failed;
  asio::co_spawn(io, count(call, calls, counted),
                 [&](const std::exception_ptr& failure) { failed = failure; });
  io.restart();
  while (!io.stopped()) {
    there.wait_until_idle();
    io.poll();
  }
  if (failed) std::rethrow_exception(failed);
  return counted;
}

/// Allocations of so many verbs, on a thread whose caches are warm.
awaitable<long> cost(consumer& events, int verbs) {
  for (int i = 0; i < 100; ++i) (void)co_await events.consume<numbered>(i);
  const long before = msgbus_test::allocations;
  for (int i = 0; i < verbs; ++i) (void)co_await events.consume<numbered>(i);
  co_return msgbus_test::allocations - before;
}

long cost(awaitable<long> (*run)(consumer&, int), consumer& events, asio::io_context& io,
          bool cancellable) {
  long counted = -1;
  asio::cancellation_signal signal;
  const auto slot = cancellable ? signal.slot() : asio::cancellation_slot();
  auto ended = [&](const std::exception_ptr& failure, long allocations) {
    if (!failure) counted = allocations;
  };
  asio::co_spawn(io, run(events, 1000), asio::bind_cancellation_slot(slot, ended));
  io.restart();
  io.run();
  return counted;
}

}  // namespace

TEST_CASE("a verb that nobody can cancel allocates nothing for a coroutine handler") {
  asio::io_context io;
  consumer events(io.get_executor());
  int sum = 0;
  events.handler([&](const numbered& each) -> awaitable<void> {
    sum += each.n;
    co_return;
  });
  CHECK(cost(&cost, events, io, false) == 0);
  CHECK(cost(&cost, events, io, true) > 1000);  // its handlers have their own coroutine
}

TEST_CASE("a function that runs at once on a strand of the library allocates nothing") {
  asio::io_context io{1};
  const asio::any_io_executor strand =
      msgbus::exec::make_mailbox_strand(io.get_executor(), nullptr);
  long counted = -1;
  bool ran = false;
  asio::post(strand, [&] {
    const long before = msgbus_test::allocations;
    asio::dispatch(strand, [&] { ran = true; });
    counted = msgbus_test::allocations - before;
  });
  io.run();
  CHECK(ran);
  CHECK(counted == 0);
}

TEST_CASE("a verb that can be cancelled allocates nothing for a plain handler") {
  asio::io_context io;
  consumer events(io.get_executor());
  int sum = 0;
  events.handler([&](const numbered& each) { sum += each.n; });
  CHECK(cost(&cost, events, io, false) == 0);
  CHECK(cost(&cost, events, io, true) == 0);
}

TEST_CASE("a dispatch to one coroutine handler allocates nothing", "[D9]") {
  asio::io_context io;
  consumer events(io.get_executor());
  producer all;
  all.bind(events);
  events.handler(&handle);
  CHECK(cost_of(io, [&](int i) { return all.dispatch<numbered>(i); }) == 0);
}

TEST_CASE("a dispatch to four consumers with coroutine handlers allocates one block", "[A3]") {
  asio::io_context io;
  consumer first(io.get_executor()), second(io.get_executor()), third(io.get_executor()),
      fourth(io.get_executor());
  producer all;
  all.bind(first, second, third, fourth);
  for (consumer* each : {&first, &second, &third, &fourth}) each->handler(&handle);
  CHECK(cost_of(io, [&](int i) { return all.dispatch<numbered>(i); }) <= 1000);
}

TEST_CASE("a dispatch to four consumers with plain handlers allocates nothing", "[A3]") {
  asio::io_context io;
  consumer first(io.get_executor()), second(io.get_executor()), third(io.get_executor()),
      fourth(io.get_executor());
  producer all;
  all.bind(first, second, third, fourth);
  for (consumer* each : {&first, &second, &third, &fourth}) each->handler([](const numbered&) {});
  CHECK(cost_of(io, [&](int i) { return all.dispatch<numbered>(i); }) == 0);
}

TEST_CASE("a command on another thread allocates itself, and the posts of Asio", "[A2]") {
  elsewhere there;
  service commands(there.io.get_executor());
  auto twice = commands.handler("twice", [](int n) { return 2 * n; });
  asio::io_context io;
  CHECK(cost_of(io, there, [&](int i) { return twice(i); }) <= 3 * 1000);
}

TEST_CASE("an event on another thread allocates no more than the posts of Asio", "[A2]") {
  elsewhere there;
  consumer events(there.io.get_executor());
  events.handler([](const numbered&) {});
  asio::io_context io;
  CHECK(cost_of(io, there, [&](int i) { return events.consume<numbered>(i); }) <= 2 * 1000);
}

TEST_CASE("the coroutines of verbs fit into the blocks that Asio keeps") {
  asio::io_context io, other;
  consumer events(io.get_executor()), away(other.get_executor());
  subscriber messages(io.get_executor());
  producer all;
  publisher topics;
  service commands(io.get_executor());
  all.bind(events);
  topics.bind(messages);
  const auto hop = [](const numbered&) -> awaitable<void> {
    co_await asio::post(asio::use_awaitable);
  };
  SECTION("with plain handlers") {
    events.handler([](const numbered&) {});
    away.handler([](const numbered&) {});
    messages.subscribe("a", [](const numbered&) {});
  }
  SECTION("with coroutines that suspend") {
    events.handler(hop);
    away.handler(hop);
    messages.subscribe("a", hop);
  }
  SECTION("with policies") {
    events.handler(hop, {.timeout = 1min});
    away.handler(hop, {.retry = {.attempts = 2}});
    messages.subscribe("a", hop, {.executor = other.get_executor()});
  }
  auto twice = commands.handler("twice", [](int n) -> awaitable<int> { co_return 2 * n; });
  bool cancellable = false;
  SECTION("where they can be cancelled") {
    events.handler(hop);
    away.handler(hop);
    messages.subscribe("a", hop);
    cancellable = true;
  }
  const auto run = [&]() -> awaitable<void> {
    const numbered one{1};
    (void)co_await events.consume(one);
    (void)co_await away.consume(one);
    (void)co_await all.dispatch(one);
    (void)co_await messages.receive(one, "a");
    (void)co_await topics.publish(one, "a");
    (void)co_await events.send(one);
    (void)co_await topics.send(one, "a");
    (void)co_await twice(1);
  };
  asio::cancellation_signal signal;
  const auto slot = cancellable ? signal.slot() : asio::cancellation_slot();
  bool done = false;
  auto ended = [&](const std::exception_ptr& failure) { done = !failure; };
  asio::co_spawn(io, run, asio::bind_cancellation_slot(slot, ended));
  msgbus_test::largest = 0;
  while (!done) {
    io.restart();
    other.restart();
    REQUIRE(io.poll() + other.poll() > 0);
  }
  CHECK(msgbus_test::largest <= 1020 + 1);  // Asio notes the size behind the block
}

}  // namespace verbs_test
