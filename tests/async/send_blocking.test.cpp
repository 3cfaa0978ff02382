#include <msgbus/async.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <thread>
#include <vector>

namespace send_blocking_test {

namespace bus = msgbus::async;
using namespace std::chrono_literals;
using msgbus::errc;
using msgbus::error;

namespace {

struct paid {
  int number;
  std::string by = "Alice";
};

std::error_code code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const error& e) {
    return e.code();
  }
  return {};
}

/// A context with a thread of its own.
class on_a_thread {
 public:
  on_a_thread() : thread_([this] { context.run(); }) {}
  ~on_a_thread() {
    work_.reset();
    thread_.join();
  }
  on_a_thread(const on_a_thread&) = delete;

  asio::io_context context{1};

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{context.get_executor()};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a thread sends more than a mailbox holds, and every event is handled, in order",
          "[A4][A6][A7]") {
  std::vector<int> handled;
  asio::thread_pool pool(1);
  bus::consumer consumer(pool.get_executor(), {.capacity = 2});
  consumer.handler([&](const paid& event) { handled.push_back(event.number); });
  std::vector<int> sent;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(consumer.send_blocking(paid{i}) == msgbus::receipt{.admitted = 1});
    sent.push_back(i);
  }
  REQUIRE(consumer.send_blocking<paid>(1000, "Bob").admitted == 1);
  sent.push_back(1000);
  pool.join();
  CHECK(handled == sent);
  CHECK(consumer.stats().accepted == 1001);
}

TEST_CASE("a thread that waits for room is let go when there is some", "[A6]") {
  on_a_thread there;
  bus::consumer consumer(there.context.get_executor(), {.capacity = 1});
  std::promise<void> go_on;
  std::shared_future<void> may_go_on = go_on.get_future().share();
  std::promise<void> begun;
  bool first = true;
  consumer.handler([&](const paid&) {
    if (!std::exchange(first, false)) return;
    begun.set_value();
    may_go_on.wait();
  });
  (void)consumer.post(paid{1});
  begun.get_future().wait();
  (void)consumer.post(paid{2});
  auto third = std::async(std::launch::async, [&] { return consumer.send_blocking(paid{3}); });
  while (consumer.waiting() != 1) std::this_thread::yield();
  CHECK(third.wait_for(0s) == std::future_status::timeout);
  go_on.set_value();
  CHECK(third.get().admitted == 1);
}

TEST_CASE("when the time has passed the event is rejected, and was not taken", "[A6][A7]") {
  msgbus::testing::stepping_context context;
  bus::consumer consumer(context.get_executor(), {.capacity = 1});
  int handled = 0;
  consumer.handler([&](const paid&) { ++handled; });
  CHECK(consumer.send_blocking(paid{1}, 0ms).admitted == 1);
  CHECK(consumer.send_blocking(paid{2}, 1ms) == msgbus::receipt{.rejected = 1});
  CHECK(consumer.send_blocking(paid{3}, -1h) == msgbus::receipt{.rejected = 1});
  context.run();
  CHECK(handled == 1);
  CHECK(consumer.stats().rejected == 2);
  CHECK(consumer.stats().offered == 3);
}

TEST_CASE("a closed component says so, also to a thread that waits", "[A10]") {
  msgbus::testing::stepping_context context;
  bus::consumer consumer(context.get_executor(), {.capacity = 1});
  (void)consumer.post(paid{1});
  auto second = std::async(std::launch::async,
                           [&] { return code_of([&] { (void)consumer.send_blocking(paid{2}); }); });
  CHECK(second.wait_for(1ms) == std::future_status::timeout);
  consumer.close();
  CHECK(second.get() == errc::closed);
  CHECK(code_of([&] { (void)consumer.send_blocking(paid{3}); }) == errc::closed);
  CHECK(consumer.stats().rejected == 2);
}

TEST_CASE("a thread that would have to make the space itself gets would_deadlock", "[A6]") {
  asio::io_context context;
  asio::thread_pool pool(1);
  const auto check = [](const asio::any_io_executor& on, const auto& run) {
    bus::consumer consumer(on, {.capacity = 1});
    std::error_code thrown;
    asio::post(on, [&] {
      (void)consumer.post(paid{1});
      thrown = code_of([&] { (void)consumer.send_blocking(paid{2}); });
    });
    run();
    CHECK(thrown == errc::would_deadlock);
  };
  const auto run_context = [&] {
    context.restart();
    context.run();
  };
  check(context.get_executor(), run_context);
  check(asio::make_strand(context), run_context);
  check(asio::make_strand(asio::any_io_executor(context.get_executor())), run_context);
  check(pool.get_executor(), [&] { pool.join(); });
}

TEST_CASE("a producer and a publisher wait for all that are full at the same time", "[A6]") {
  msgbus::testing::stepping_context never;
  on_a_thread there;
  bus::consumer stuck(never.get_executor(), {.capacity = 1});
  bus::consumer moves(there.context.get_executor(), {.capacity = 1});
  std::atomic<int> handled{0};
  moves.handler([&](const paid&) { ++handled; });
  bus::producer producer;
  producer.bind(stuck, moves);
  (void)stuck.post(paid{0});
  for (int i = 0; i < 10; ++i) {
    // The second gets it, whatever the first one does.
    CHECK(producer.send_blocking(paid{i}, 20ms) == msgbus::receipt{.admitted = 1, .rejected = 1});
    // The thread may be late, and there is room for one.
    while (handled != i + 1) std::this_thread::yield();
  }

  bus::subscriber subscriber(there.context.get_executor());
  std::promise<std::string> got;
  subscriber.subscribe("orders.paid", [&](const std::string& text) { got.set_value(text); });
  bus::publisher publisher;
  publisher.bind(subscriber);
  CHECK(publisher.send_blocking(std::string("order 7"), "orders.paid").admitted == 1);
  CHECK(got.get_future().get() == "order 7");
}

TEST_CASE("commands are sent from a thread, with and without a limit", "[A6]") {
  on_a_thread there;
  bus::service service(there.context.get_executor());
  std::promise<int> first, second;
  service.handler("add", [&](int a, int b) { first.set_value(a + b); });
  service.handler("subtract", [&](int a, int b) { second.set_value(a - b); });
  CHECK(service.send_blocking("add", 1, 2).admitted == 1);
  CHECK(service.send_blocking(1s, "subtract", 5, 2).admitted == 1);
  CHECK(first.get_future().get() == 3);
  CHECK(second.get_future().get() == 3);
}

}  // namespace send_blocking_test
