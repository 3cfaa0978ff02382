#include "transport/receive_queue.hpp"

#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace receive_queue_test {

using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using receive_queue = msgbus::transport::receive_queue<std::unique_ptr<int>>;

namespace {

std::vector<int> values(const std::vector<std::unique_ptr<int>>& of) {
  std::vector<int> found;
  for (const auto& each : of) found.push_back(*each);
  return found;
}

bool put(receive_queue& in, int value, bool may_wait = false) {
  return in.put(std::make_unique<int>(value), may_wait);
}

using numbers = std::vector<int>;

}  // namespace

TEST_CASE("take returns all queued values, in order") {
  stepping_context context;
  receive_queue in(10);
  CHECK(put(in, 1));
  CHECK(put(in, 2));
  CHECK(in.size() == 2);
  CHECK(values(context.run(in.take())) == numbers{1, 2});
  CHECK(in.size() == 0);
}

TEST_CASE("take waits on an empty receive_queue until a value arrives") {
  stepping_context context;
  receive_queue in(10);
  for (int round = 0; round < 3; ++round) {
    auto taking = context.spawn(in.take());
    context.run();
    CHECK_FALSE(taking.done());
    put(in, 1);
    put(in, 2);  // before the coroutine has resumed
    context.run();
    REQUIRE(taking.done());
    CHECK(values(taking.get()) == numbers{1, 2});
  }
}

TEST_CASE("a full receive_queue refuses a value, and does not move from it") {
  stepping_context context;
  receive_queue in(1);
  CHECK(put(in, 1));
  auto second = std::make_unique<int>(2);
  CHECK_FALSE(in.put(std::move(second), false));
  CHECK(second);
  (void)context.run(in.take());
  CHECK(in.put(std::move(second), false));
  receive_queue none(0);
  CHECK(put(none, 1));  // the smallest capacity is one
}

TEST_CASE("a closed receive_queue refuses values, and returns the queued ones, and then none") {
  stepping_context context;
  receive_queue in(10);
  put(in, 1);
  in.close();
  CHECK_FALSE(put(in, 2));
  CHECK_FALSE(put(in, 2, true));
  CHECK(values(context.run(in.take())) == numbers{1});
  CHECK(context.run(in.take()).empty());
}

TEST_CASE("closing wakes a waiting take") {
  stepping_context context;
  receive_queue in(10);
  auto taking = context.spawn(in.take());
  context.run();
  in.close();
  context.run();
  REQUIRE(taking.done());
  CHECK(taking.get().empty());
}

TEST_CASE("a cancelled take has taken no value", "[A9]") {
  stepping_context context;
  receive_queue in(10);
  // given: a waiting take
  auto taking = context.spawn(in.take());
  context.run();
  // when: it is cancelled, before or after a value arrives
  SECTION("cancelled while the receive_queue is empty") {
    taking.cancel();
    context.run();
    put(in, 1);
  }
  SECTION("a value arrives after the cancellation") {
    taking.cancel();
    put(in, 1);
  }
  SECTION("a value has arrived before the cancellation") {
    put(in, 1);
    taking.cancel();
  }
  context.run();
  // then: it returns nothing, and the value is still there
  REQUIRE(taking.done());
  CHECK(taking.get().empty());
  CHECK(values(context.run(in.take())) == numbers{1});
}

TEST_CASE("threads wait for space, and resume when there is some") {
  asio::io_context context(1);
  receive_queue in(1);
  put(in, 0);
  // given: a thread that puts 101 values into an receive_queue for one
  std::thread other([&] {
    for (int i = 1; i <= 100; ++i) put(in, i, true);
    in.close();
  });
  std::vector<int> all;
  // when: a coroutine takes them
  auto take_all = [&]() -> asio::awaitable<void> {
    for (;;) {
      const auto some = co_await in.take();
      if (some.empty()) co_return;
      for (const auto& each : some) all.push_back(*each);
    }
  };
  const spawned<void> taking(context.get_executor(), take_all());
  context.run();
  other.join();
  // then: all arrive, in order
  REQUIRE(all.size() == 101);
  for (int i = 0; i <= 100; ++i) CHECK(all[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("closing resumes the threads that wait for space") {
  receive_queue in(1);
  put(in, 1);
  msgbus_test::event ended;
  std::thread other([&] {
    put(in, 2, true);
    ended.set();
  });
  in.close();
  ended.wait();
  other.join();
  CHECK(in.size() == 1);
}

TEST_CASE("a context that ends during a take closes the receive_queue", "[A12]") {
  const auto in = std::make_shared<receive_queue>(1);
  // given: a coroutine that takes
  auto take = [](std::shared_ptr<receive_queue> from) -> asio::awaitable<void> {
    (void)co_await from->take();
  };
  // when: its context is destroyed
  SECTION("while take waits") {
    stepping_context context;
    (void)context.spawn(take(in));
    context.run();
  }
  SECTION("when take was woken, and has not resumed") {
    stepping_context context;
    (void)context.spawn(take(in));
    context.run();
    put(*in, 1);
  }
  // then: the receive_queue is closed
  CHECK(in.use_count() == 1);
  CHECK_FALSE(put(*in, 1, true));  // does not wait for ever
}

TEST_CASE("an receive_queue may be used on another context after one has ended") {
  receive_queue in(10);
  {
    stepping_context context;
    put(in, 1);
    (void)context.run(in.take());
  }
  stepping_context context;
  auto taking = context.spawn(in.take());
  context.run();
  put(in, 2);
  context.run();
  CHECK(values(taking.get()) == numbers{2});
}

TEST_CASE("no value is lost and no thread keeps waiting while threads put and a coroutine takes") {
  constexpr int senders = 3;
  const int each = msgbus_test::rounds(5000);
  asio::thread_pool pool(2);
  const auto in = std::make_shared<receive_queue>(8);
  std::vector<int> next(senders, 0);
  // given: a coroutine that takes, and checks each sender's order
  auto take_all = [&]() -> asio::awaitable<void> {
    for (int left = senders * each; left > 0;) {
      const auto some = co_await in->take();
      for (const auto& got : some) {
        const auto sender = static_cast<std::size_t>(*got % senders);
        msgbus_test::expect(*got / senders == next[sender]++, "each sender's values are in order");
      }
      left -= static_cast<int>(some.size());
    }
  };
  const spawned<void> taking(pool.get_executor(), take_all());
  // when: threads put, with and without a wait
  std::vector<std::thread> threads;
  for (int sender = 0; sender < senders; ++sender) {
    threads.emplace_back([in, sender, each] {
      for (int i = 0; i < each; ++i) {
        if (i % 2 == 0) {
          put(*in, i * senders + sender, true);
        } else {
          while (!put(*in, i * senders + sender)) std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  pool.join();
  // then: every value was taken
  CHECK(taking.done());
  CHECK_FALSE(taking.failure());
  CHECK(next == std::vector<int>(senders, each));
}

TEST_CASE("a take is torn down safely after each step", "[A12]") {
  struct scenario {
    explicit scenario(stepping_context& context) : taking(context.spawn(run(in))) {
      asio::post(context.get_executor(), [to = in] { put(*to, 1); });
      asio::post(context.get_executor(), [to = in] { to->close(); });
    }
    static asio::awaitable<void> run(std::shared_ptr<receive_queue> from) {
      for (;;) {
        const auto some = co_await from->take();
        if (some.empty()) co_return;
      }
    }
    std::shared_ptr<receive_queue> in = std::make_shared<receive_queue>(4);
    spawned<void> taking;
  };
  const auto report = msgbus::testing::cut_off_at_every_step(
      [](stepping_context& context) { return std::make_unique<scenario>(context); });
  CHECK(report.steps >= 3);
}

TEST_CASE("a taker that is destroyed during another wait resumes the senders", "[A12]") {
  auto in = std::make_shared<receive_queue>(1);
  std::optional<stepping_context> context(std::in_place);
  // given: a coroutine that has taken, and awaits something else
  const auto take_and_wait = [](std::shared_ptr<receive_queue> from) -> asio::awaitable<void> {
    const receive_queue::taker taking(*from);
    (void)co_await from->take();
    msgbus::exec::one_shot_event never;
    co_await never.wait();
  };
  const auto running = context->spawn(take_and_wait(in));
  put(*in, 1);
  context->run();
  CHECK_FALSE(running.done());
  CHECK(put(*in, 2));
  bool given_up = false;
  // when: its context is destroyed while a thread waits for space
  std::thread sender([&] { given_up = !put(*in, 3, true); });
  context.reset();
  sender.join();
  // then: the thread resumes, and its value is refused
  CHECK(given_up);
}

}  // namespace receive_queue_test
