#include <msgbus/detail/exec/block_queue.hpp>

#include <msgbus/detail/exec/send_operation.hpp>

#include "support/catch.hpp"
#include "support/mailboxes.hpp"
#include "support/thread_group.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

namespace block_queue_test {

using msgbus::exec::block_queue;
using msgbus::exec::event_send_operation;
using msgbus::exec::queued_message;
using msgbus::exec::send_operation;
using msgbus_test::number_in;
using msgbus_test::numbered;

namespace {

template <class E>
bool put_event(block_queue& to, E event) {
  send_operation out = event_send_operation(event);
  out.prepare(true);
  const block_queue::claim claimed = to.try_claim(out.units());
  if (!claimed.at) return false;
  out.put(claimed.storage());
  block_queue::publish(claimed);
  return true;
}

bool put(block_queue& to, int number, int from = 0) {
  return put_event(to, numbered{number, from});
}

// The next message's number, or -1.
int take(block_queue& from) {
  queued_message* const taken = from.take();
  if (!taken) return -1;
  const int number = number_in(*taken).number;
  from.done();
  return number;
}

// An event that takes several units, as its size says.
template <std::size_t Size>
struct sized {
  std::array<int, Size / sizeof(int)> all;
  static sized of(int number) {
    sized made{};
    made.all.front() = made.all.back() = number;
    return made;
  }
};

}  // namespace

TEST_CASE("a queue gives messages back in the order in which they came, lap after lap", "[A4]") {
  for (const std::size_t capacity : {1U, 2U, 3U, 7U, 8U, 1000U}) {
    block_queue messages(capacity);
    CHECK(messages.capacity() == capacity);
    int sent = 0;
    int got = 0;
    for (int round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i <= static_cast<std::size_t>(round) % capacity; ++i) {
        if (!put(messages, sent)) break;
        ++sent;
      }
      CHECK(messages.size() == static_cast<std::size_t>(sent - got));
      while (messages.size() > capacity / 2) {
        REQUIRE(take(messages) == got);
        ++got;
      }
    }
    while (!messages.empty()) REQUIRE(take(messages) == got++);
    CHECK(got == sent);
    CHECK(messages.claimed() == static_cast<std::uint64_t>(sent));
    CHECK(take(messages) == -1);
  }
}

TEST_CASE("a queue holds its capacity and not one message more", "[A6]") {
  for (const std::size_t capacity : {1U, 2U, 3U, 4U, 1000U}) {
    block_queue messages(capacity);
    for (int lap = 0; lap < 5; ++lap) {
      for (std::size_t i = 0; i < capacity; ++i) REQUIRE(put(messages, static_cast<int>(i)));
      CHECK(messages.size() == capacity);
      CHECK_FALSE(put(messages, -2));
      CHECK_FALSE(put(messages, -2));
      REQUIRE(take(messages) == 0);
      messages.show_space();
      REQUIRE(put(messages, static_cast<int>(capacity)));
      CHECK_FALSE(put(messages, -2));
      for (std::size_t i = 0; i < capacity; ++i) {
        REQUIRE(take(messages) == static_cast<int>(i) + 1);
      }
      CHECK(messages.size() == 0);
      messages.show_space();
    }
  }
}

TEST_CASE("a capacity of 0 is one of 1") {
  block_queue messages(0);
  CHECK(messages.capacity() == 1);
  CHECK(put(messages, 1));
  CHECK_FALSE(put(messages, 2));
  CHECK(take(messages) == 1);
}

TEST_CASE("a capacity beyond all memory takes memory for the messages that wait") {
  for (const std::size_t capacity :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2,
        std::size_t{1} << 31, std::size_t{1} << 30}) {
    block_queue messages(capacity);
    for (int i = 0; i < 100; ++i) REQUIRE(put(messages, i));
    CHECK(messages.size() == 100);
    for (int i = 0; i < 100; ++i) CHECK(take(messages) == i);
    CHECK(take(messages) == -1);
  }
}

TEST_CASE("messages of all sizes keep their order and their contents", "[A4]") {
  block_queue messages(1000);
  const auto take_sized = [&]<class E>(E expected) {
    queued_message* const taken = messages.take();
    REQUIRE(taken);
    REQUIRE(taken->message().type == msgbus::detail::key_of<E>);
    const auto& all = static_cast<const E*>(taken->message().data)->all;
    CHECK(all.front() == expected.all.front());
    CHECK(all.back() == expected.all.back());
    messages.done();
  };
  // Every mix of places within a block, and of what is left at its end.
  for (int lap = 0; lap < 40; ++lap) {
    for (int i = 0; i < lap; ++i) REQUIRE(put_event(messages, sized<16>::of(i)));
    REQUIRE(put_event(messages, sized<40>::of(lap)));
    REQUIRE(put_event(messages, sized<72>::of(lap)));
    REQUIRE(put_event(messages, sized<112>::of(lap)));
    REQUIRE(put_event(messages, sized<400>::of(lap)));  // by reference
    for (int i = 0; i < lap; ++i) take_sized(sized<16>::of(i));
    take_sized(sized<40>::of(lap));
    take_sized(sized<72>::of(lap));
    take_sized(sized<112>::of(lap));
    take_sized(sized<400>::of(lap));
    CHECK(messages.size() == 0);
  }
}

TEST_CASE("a message that is taken no longer waits, and stays in its place until it is destroyed",
          "[A6]") {
  block_queue messages(1);
  REQUIRE(put(messages, 1));
  queued_message* const first = messages.take();
  REQUIRE(first);
  CHECK(messages.size() == 0);
  REQUIRE(put(messages, 2));  // the capacity is for those that wait
  CHECK_FALSE(put(messages, 3));
  CHECK(number_in(*first).number == 1);
  messages.done();
  CHECK(take(messages) == 2);
}

TEST_CASE("room is shown when enough was made, and at once in a small queue", "[A6]") {
  for (const std::size_t capacity : {1U, 64U, 127U, 1024U, 100'000U}) {
    block_queue messages(capacity);
    for (std::size_t i = 0; i < capacity; ++i) REQUIRE(put(messages, static_cast<int>(i)));
    std::size_t made = 0;
    while (!put(messages, -2)) {
      REQUIRE(take(messages) == static_cast<int>(made));
      CHECK(messages.size() == capacity - ++made);
    }
    CHECK(made <= std::max<std::size_t>(1, capacity / 64));
    CHECK(made <= 16);
  }
}

TEST_CASE("a place that is claimed and not published holds back those behind it", "[A4]") {
  for (int before = 0; before < 40; ++before) {  // the place may be the last of its block
    block_queue messages(100);
    for (int i = 0; i < before; ++i) REQUIRE(put(messages, i));
    for (int i = 0; i < before; ++i) REQUIRE(take(messages) == i);
    const block_queue::claim first = messages.try_claim(1);
    REQUIRE(first.at);
    for (int i = 2; i < 40; ++i) REQUIRE(put(messages, i));
    CHECK_FALSE(messages.empty());
    CHECK(messages.take() == nullptr);
    CHECK(messages.size() == 39);
    numbered message{1};
    send_operation out = event_send_operation(message);
    out.put(first.storage());
    block_queue::publish(first);
    for (int i = 1; i < 40; ++i) CHECK(take(messages) == i);
    CHECK(messages.empty());
  }
}

TEST_CASE("a destroyed queue destroys its waiting messages") {
  const auto kept = std::make_shared<int>(1);
  {
    block_queue messages(40);
    for (int i = 0; i < 30; ++i) REQUIRE(put_event(messages, std::shared_ptr<int>(kept)));
    (void)messages.take();
    messages.done();
    CHECK(kept.use_count() == 30);
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE(
    "many threads fill a queue that one empties: none lost, each sender's in order, no more "
    "than the capacity",
    "[A4][A6][A7]") {
  constexpr int senders = 3;
  for (const std::size_t capacity : {1U, 2U, 3U, 1000U}) {
    // In a small queue each message may cost a switch of threads.
    const int each = msgbus_test::rounds(capacity < 10 ? 2'000 : 20'000);
    block_queue messages(capacity);
    std::atomic<bool> over{false};
    std::vector<std::thread> sending;
    for (int from = 0; from < senders; ++from) {
      sending.emplace_back([&, from] {
        for (int i = 0; i < each; ++i) {
          while (!put(messages, i, from)) {
            if (messages.size() > capacity) over = true;
            std::this_thread::yield();
          }
        }
      });
    }
    std::vector<int> next(senders, 0);
    bool in_order = true;
    for (int got = 0; got < senders * each;) {
      if (messages.size() > capacity) over = true;
      queued_message* const taken = messages.take();
      if (!taken) {
        std::this_thread::yield();
        continue;
      }
      const numbered what = number_in(*taken);
      messages.done();
      if (what.number != next[static_cast<std::size_t>(what.from)]++) in_order = false;
      ++got;
    }
    for (std::thread& thread : sending) thread.join();
    CHECK(in_order);
    CHECK_FALSE(over);
    CHECK(messages.size() == 0);
  }
}

}  // namespace block_queue_test
