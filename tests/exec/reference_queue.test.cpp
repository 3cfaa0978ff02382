#include <msgbus/detail/exec/reference_queue.hpp>

#include "support/catch.hpp"
#include "support/thread_group.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

namespace reference_queue_test {

using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::exec::make_reference_queue;
using msgbus::exec::queued_event;
using msgbus::exec::reference_queue;
using msgbus::exec::shared_message;

namespace {

bool put(reference_queue& to, int number, shared_message& displaced) {
  shared_message message = std::make_shared<queued_event<int>>(std::move(number));
  const bool taken = to.try_push(message, displaced);
  CHECK(taken == !message);  // what is not taken is still the sender's
  return taken;
}

bool put(reference_queue& to, int number) {
  shared_message none;
  return put(to, number, none);
}

int number_in(const shared_message& message) {
  return message ? *static_cast<const int*>(message->message().data) : -1;
}

}  // namespace

TEST_CASE("one consumer loop that keeps all messages needs no queue of references", "[A4]") {
  CHECK(make_reference_queue({}) == nullptr);
  CHECK(make_reference_queue({.on_full = overflow::drop_newest}) == nullptr);
  CHECK(make_reference_queue({.concurrency = 2}) != nullptr);
  CHECK(make_reference_queue({.on_full = overflow::drop_oldest}) != nullptr);
}

TEST_CASE("a capacity of any size takes memory for waiting messages only", "[A4][A6]") {
  constexpr auto largest = std::numeric_limits<std::size_t>::max();
  const auto check = [](const mailbox_options& options) {
    const auto all = make_reference_queue(options);
    REQUIRE(all);
    for (int i = 0; i < 3; ++i) CHECK(put(*all, i));
    CHECK(all->size() == 3);
    for (int i = 0; i < 3; ++i) CHECK(number_in(all->pop()) == i);
    CHECK(all->accepted() == 3);
  };
  for (const std::size_t capacity : {std::size_t{1} << 21, largest}) {
    check({.capacity = capacity, .concurrency = 2});
    check({.capacity = capacity, .on_full = overflow::drop_oldest});
  }
}

TEST_CASE("a queue for several loops holds its capacity and not one message more", "[A6]") {
  const auto all = make_reference_queue({.capacity = 3, .concurrency = 2});
  for (int i = 0; i < 3; ++i) CHECK(put(*all, i));
  CHECK_FALSE(put(*all, 3));
  CHECK(all->size() == 3);
  CHECK(all->accepted() == 3);
  CHECK(all->ready());
  std::vector<int> got;
  while (shared_message each = all->pop()) got.push_back(number_in(each));
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<int>{0, 1, 2});
  CHECK_FALSE(all->ready());
  CHECK(put(*all, 4));
}

TEST_CASE("a queue that drops its oldest hands it out, and keeps the order of the others", "[A6]") {
  for (const std::size_t loops : {1U, 2U}) {
    const auto all = make_reference_queue(
        {.capacity = 2, .on_full = overflow::drop_oldest, .concurrency = loops});
    shared_message displaced;
    CHECK(put(*all, 1, displaced));
    CHECK(put(*all, 2, displaced));
    CHECK_FALSE(displaced);
    CHECK(put(*all, 3, displaced));
    CHECK(number_in(displaced) == 1);
    CHECK(all->size() == 2);
    CHECK(all->accepted() == 3);
    CHECK(number_in(all->pop()) == 2);
    CHECK(number_in(all->pop()) == 3);
    CHECK(all->pop() == nullptr);
  }
}

TEST_CASE("threads put in and take out: none is lost, and the bound holds", "[A6][A7]") {
  constexpr int senders = 2;
  const int each = msgbus_test::rounds(3'000);
  const auto all = make_reference_queue({.capacity = 3, .concurrency = 2});
  std::atomic<int> got{0};
  std::atomic<bool> over{false};
  std::atomic<bool> behind{false};  // something came out that had not been accepted
  std::vector<std::thread> threads;
  for (int s = 0; s < senders; ++s) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        shared_message message = std::make_shared<queued_event<int>>(int(i)), none;
        while (!all->try_push(message, none)) std::this_thread::yield();
        if (all->size() > 3) over = true;
      }
    });
    threads.emplace_back([&] {
      while (got < senders * each) {
        if (all->pop()) {
          if (all->accepted() < static_cast<std::uint64_t>(++got)) behind = true;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(got == senders * each);
  CHECK_FALSE(over);
  CHECK_FALSE(behind);
  CHECK(all->size() == 0);
}

}  // namespace reference_queue_test
