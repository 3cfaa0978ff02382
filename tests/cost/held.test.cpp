// An awaited verb keeps any message without memory of its own, whatever its size, its alignment and
// how it is moved.

#include <msgbus/async.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <exception>
#include <utility>

namespace held_test {

using asio::awaitable;
using msgbus_test::allocations;

namespace {

struct of_200_bytes {
  std::array<char, 200> bytes{};
};

struct move_may_throw {
  move_may_throw() = default;
  move_may_throw(const move_may_throw& other) : n(other.n) {}
  int n = 0;
};

struct aligned_to_16 {
  alignas(16) std::array<float, 4> values{};
};

template <int N>
struct of_100_bytes {
  std::array<char, 100> bytes{};
};
template <int N>
of_100_bytes<N> make() {
  return {};
}
int make_number() { return 1; }

/// Allocations of one call each, on a thread whose caches are warm.
struct costs {
  long consume = -1, dispatch = -1, publish = -1, send = -1, produce = -1, post = -1;
};

struct parts {
  asio::io_context io{1};
  msgbus::async::consumer consumer{io.get_executor()};
  msgbus::async::producer producer;
  msgbus::async::subscriber subscriber{io.get_executor()};
  msgbus::async::publisher publisher;
};

/// Returns once so many messages were handled.
awaitable<void> until(const long& handled, long expected) {
  while (handled < expected) co_await asio::post(asio::use_awaitable);
}

template <class E>
awaitable<void> count(parts& all, costs& counted) {
  long handled = 0;
  all.consumer.handler([&](const E&) { ++handled; });
  all.subscriber.subscribe("orders", [](const E&) {});
  for (int i = 0; i < 100; ++i) {
    const long earlier = handled;
    long before = allocations;
    (void)co_await all.consumer.consume<E>();
    counted.consume = allocations - before;
    before = allocations;
    (void)co_await all.producer.dispatch<E>();
    counted.dispatch = allocations - before;
    before = allocations;
    (void)co_await all.publisher.publish(E{}, "orders");
    counted.publish = allocations - before;
    before = allocations;
    (void)co_await all.consumer.send<E>();
    counted.send = allocations - before;
    co_await until(handled, earlier + 3);
    before = allocations;
    (void)co_await all.producer.send<E>();
    counted.produce = allocations - before;
    co_await until(handled, earlier + 4);
    before = allocations;
    (void)all.producer.post<E>();
    counted.post = allocations - before;
    co_await until(handled, earlier + 5);
  }
}

template <class F>
void run(parts& all, F work) {
  std::exception_ptr failed;
  asio::co_spawn(all.io, work, [&](std::exception_ptr failure) { failed = failure; });
  all.io.run();
  if (failed) std::rethrow_exception(failed);
}

template <class E>
costs costs_of() {
  parts all;
  all.producer.bind(all.consumer);
  all.publisher.bind(all.subscriber);
  costs counted;
  run(all, [&] { return count<E>(all, counted); });
  return counted;
}

template <class E>
void check_costs(long send) {
  const costs counted = costs_of<E>();
  CHECK(counted.consume == 0);
  CHECK(counted.dispatch == 0);
  CHECK(counted.publish == 0);
  CHECK(counted.send == send);
  CHECK(counted.produce == 1);  // the message that all share
  CHECK(counted.post == 1);
}

}  // namespace

TEST_CASE("an awaited verb keeps a message of any kind without allocating", "[D9]") {
  check_costs<int>(0);
  check_costs<of_200_bytes>(1);  // into the mailbox goes a pointer
  check_costs<move_may_throw>(1);
  check_costs<aligned_to_16>(1);
}

TEST_CASE("an awaited command is kept without allocating") {
  parts all;
  msgbus::async::service service(all.io.get_executor());
  auto add = service.handler("add", [](int a, int b) { return a + b; });
  long by_name = -1;
  long by_operation = -1;
  run(all, [&]() -> awaitable<void> {
    for (int i = 0; i < 100; ++i) {
      long before = allocations;
      (void)co_await service.execute<int>("add", 1, 2);
      by_name = allocations - before;
      before = allocations;
      (void)co_await add(1, 2);
      by_operation = allocations - before;
    }
  });
  CHECK(by_name == 0);
  CHECK(by_operation == 0);
}

TEST_CASE("a message of any kind is shared in one block, and so is posted from any thread") {
  msgbus::async::producer producer;
  asio::io_context io;
  msgbus::async::consumer consumer(io.get_executor());
  producer.bind(consumer);
  consumer.handler([](msgbus::any_event) {});
  const auto cost_of = [&](auto event) {
    (void)producer.post(event);
    const long before = allocations;
    (void)producer.post(event);
    return allocations - before;
  };
  CHECK(cost_of(1) == 1);
  CHECK(cost_of(of_200_bytes{}) == 1);
  CHECK(cost_of(move_may_throw{}) == 1);
  CHECK(cost_of(aligned_to_16{}) == 1);
  io.run();
}

TEST_CASE("a coroutine handler keeps many large dependencies at the cost of a small one", "[I6]") {
  const auto cost_of = [](auto handle) {
    parts all;
    all.consumer.handler(handle);
    long counted = -1;
    run(all, [&]() -> awaitable<void> {
      for (int i = 0; i < 100; ++i) {
        const long before = allocations;
        (void)co_await all.consumer.consume<int>(i);
        counted = allocations - before;
      }
    });
    return counted;
  };
  const long small =
      cost_of([](const int&, msgbus::depends<make_number>) -> awaitable<void> { co_return; });
  const long large = cost_of([](const int&, msgbus::depends<make<1>>, msgbus::depends<make<2>>,
                                msgbus::depends<make<3>>, msgbus::depends<make<4>>,
                                msgbus::depends<make<5>>) -> awaitable<void> { co_return; });
  CHECK(large == small);
}

}  // namespace held_test
