#include <msgbus/exec/ring.hpp>

#include <msgbus/exec/outgoing.hpp>

#include "support/catch.hpp"
#include "support/crew.hpp"
#include "support/mailboxes.hpp"

#include <limits>
#include <thread>
#include <vector>

namespace ring_test {

using msgbus::exec::carried;
using msgbus::exec::outgoing_event;
using msgbus::exec::ring;
using msgbus_test::number_in;
using msgbus_test::numbered;

namespace {

bool put(ring& to, int number, int from = 0) {
  const ring::claim claimed = to.try_claim();
  if (!claimed.at) return false;
  numbered message{number, from};
  outgoing_event<numbered> out(message);
  out.prepare(true);
  out.put(claimed.at->place);
  ring::publish(claimed);
  return true;
}

// The next message's number, or -1.
int take(ring& from) {
  carried* const taken = from.take();
  if (!taken) return -1;
  const int number = number_in(*taken).number;
  ring::destroy(*taken);
  return number;
}

}  // namespace

TEST_CASE("a ring gives messages back in the order in which they came, lap after lap", "[A4]") {
  for (const std::size_t capacity : {1U, 2U, 3U, 7U, 8U, 1000U}) {
    ring messages(capacity);
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
    while (messages.ready()) REQUIRE(take(messages) == got++);
    CHECK(got == sent);
    CHECK(messages.claimed() == static_cast<std::uint64_t>(sent));
    CHECK(take(messages) == -1);
  }
}

TEST_CASE("a ring holds its capacity and not one message more", "[A6]") {
  for (const std::size_t capacity : {1U, 2U, 3U, 4U, 1000U}) {
    ring messages(capacity);
    for (int lap = 0; lap < 5; ++lap) {
      for (std::size_t i = 0; i < capacity; ++i) REQUIRE(put(messages, static_cast<int>(i)));
      CHECK(messages.size() == capacity);
      CHECK_FALSE(put(messages, -2));
      CHECK_FALSE(put(messages, -2));
      REQUIRE(take(messages) == 0);
      REQUIRE(put(messages, static_cast<int>(capacity)));
      CHECK_FALSE(put(messages, -2));
      for (std::size_t i = 0; i < capacity; ++i) {
        REQUIRE(take(messages) == static_cast<int>(i) + 1);
      }
      CHECK(messages.size() == 0);
    }
  }
}

TEST_CASE("a capacity of 0 is one of 1") {
  ring messages(0);
  CHECK(messages.capacity() == 1);
  CHECK(put(messages, 1));
  CHECK_FALSE(put(messages, 2));
  CHECK(take(messages) == 1);
}

TEST_CASE("a capacity beyond all memory fails at the first message, and does not wrap around") {
  for (const std::size_t capacity :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2,
        std::size_t{1} << 60, std::size_t{1} << 58}) {
    ring messages(capacity);
    CHECK(messages.size() == 0);
    CHECK_FALSE(messages.ready());
    CHECK_THROWS_AS(put(messages, 1), std::bad_alloc);
    CHECK(take(messages) == -1);
  }
}

TEST_CASE("a message that is taken no longer waits, and stays in its place until it is destroyed",
          "[A6]") {
  ring messages(1);
  REQUIRE(put(messages, 1));
  carried* const first = messages.take();
  REQUIRE(first);
  CHECK(messages.size() == 0);
  REQUIRE(put(messages, 2));  // the capacity is for those that wait
  CHECK_FALSE(put(messages, 3));
  CHECK(number_in(*first).number == 1);
  ring::destroy(*first);
  CHECK(take(messages) == 2);
}

TEST_CASE("a slot that is claimed and not published holds back those behind it", "[A4]") {
  ring messages(3);
  const ring::claim first = messages.try_claim();
  REQUIRE(first.at);
  REQUIRE(put(messages, 2));
  CHECK_FALSE(messages.ready());
  CHECK(messages.take() == nullptr);
  CHECK(messages.size() == 2);
  numbered message{1};
  outgoing_event<numbered> out(message);
  out.put(first.at->place);
  ring::publish(first);
  CHECK(messages.ready());
  CHECK(take(messages) == 1);
  CHECK(take(messages) == 2);
}

TEST_CASE("a ring that goes destroys what waits in it") {
  const auto kept = std::make_shared<int>(1);
  {
    ring messages(4);
    for (int i = 0; i < 3; ++i) {
      std::shared_ptr<int> share = kept;
      outgoing_event<std::shared_ptr<int>> out(share);
      const ring::claim claimed = messages.try_claim();
      out.put(claimed.at->place);
      ring::publish(claimed);
    }
    carried* const taken = messages.take();
    ring::destroy(*taken);
    CHECK(kept.use_count() == 3);
  }
  CHECK(kept.use_count() == 1);
}

TEST_CASE(
    "many threads fill a ring that one empties: none lost, each sender's in order, no more "
    "than the capacity",
    "[A4][A6][A7]") {
  constexpr int senders = 3;
  for (const std::size_t capacity : {1U, 2U, 3U, 1000U}) {
    // In a small ring each message may cost a switch of threads.
    const int each = msgbus_test::rounds(capacity < 10 ? 2'000 : 20'000);
    ring messages(capacity);
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
      carried* const taken = messages.take();
      if (!taken) {
        std::this_thread::yield();
        continue;
      }
      const numbered what = number_in(*taken);
      ring::destroy(*taken);
      if (what.number != next[static_cast<std::size_t>(what.from)]++) in_order = false;
      ++got;
    }
    for (std::thread& thread : sending) thread.join();
    CHECK(in_order);
    CHECK_FALSE(over);
    CHECK(messages.size() == 0);
  }
}

}  // namespace ring_test
