#include <msgbus/detail/exec/send_times.hpp>

#include <msgbus/detail/exec/block_queue.hpp>
#include <msgbus/detail/exec/mailbox_state.hpp>
#include <msgbus/detail/exec/send_operation.hpp>

#include "support/catch.hpp"
#include "support/times_clock.hpp"

#include <chrono>
#include <string>

namespace send_times_test {

using msgbus::exec::block_queue;
using msgbus::exec::mailbox_state;
using msgbus::exec::message_in_hand;
using msgbus::exec::put;
using msgbus::exec::send_operation;
using msgbus::exec::send_times;
using msgbus::exec::sent_at;
using msgbus::exec::since;
using msgbus_test::times_clock;
using namespace std::chrono_literals;

namespace {

put send(mailbox_state& to, int number) {
  send_operation out = msgbus::exec::event_send_operation(number);
  msgbus::exec::shared_message displaced;
  return to.try_put(out, displaced);
}

std::int64_t age(const mailbox_state& of) {
  const auto sent = of.oldest_sent();
  return sent ? since(*sent, msgbus::detail::times_now()) : -1;
}

}  // namespace

TEST_CASE("a time of 48 bits gives the time since then, for weeks") {
  constexpr std::int64_t second = 1'000'000'000;
  for (const std::int64_t start :
       {std::int64_t{0}, std::int64_t{16}, 123 * second, (std::int64_t{1} << 52) - 7 * second}) {
    for (const std::int64_t passed : {std::int64_t{0}, second, 20 * 24 * 3600 * second}) {
      const std::int64_t got = since(sent_at(start), start + passed);
      CHECK(got <= passed);
      CHECK(got >= passed - 32);
    }
  }
  CHECK(since(sent_at(5 * second), 4 * second) == 0);
}

TEST_CASE("a message with its time is as large as one without", "[O4]") {
  CHECK(block_queue::unit_size == 32);
}

TEST_CASE("the oldest message is found among those that wait") {
  const times_clock clock;
  const std::size_t concurrency = GENERATE(1U, 2U);
  CAPTURE(concurrency);
  mailbox_state box({.capacity = 1'000, .concurrency = concurrency});
  CHECK(age(box) == -1);
  CHECK(send(box, 0) == put::taken);
  CHECK(age(box) == -1);  // nobody asked
  box.time_sends(1);
  for (int i = 1; i < 20; ++i) {
    times_clock::advance(1ms);
    CHECK(send(box, i) == put::taken);
  }
  message_in_hand in_hand;
  REQUIRE(box.take(in_hand));
  CHECK(box.sent_in_hand(*in_hand.get()) == 0);
  box.done(in_hand);
  for (int i = 1; i < 20; ++i) {
    // Of a capacity of a thousand, the time of every fourth is kept.
    CHECK(age(box) <= (19 - i) * 1'000'000);
    CHECK(age(box) >= (i > 16 ? -1 : (19 - i - 4) * 1'000'000));
    REQUIRE(box.take(in_hand));
    CHECK(since(box.sent_in_hand(*in_hand.get()), msgbus::detail::times_now()) ==
          (19 - i) * 1'000'000);
    box.done(in_hand);
  }
  CHECK(age(box) == -1);
}

TEST_CASE("the times of a small mailbox are all kept, however many messages have passed") {
  const times_clock clock;
  mailbox_state box({.capacity = 8});
  box.time_sends(1);
  message_in_hand in_hand;
  for (int i = 0; i < 100'000; ++i) {
    times_clock::advance(16ns);
    REQUIRE(send(box, i) == put::taken);
    if (i < 3) continue;
    REQUIRE(age(box) == 48);
    REQUIRE(box.take(in_hand));
    box.done(in_hand);
  }
}

TEST_CASE("a full mailbox refuses a message with a time as one without") {
  const times_clock clock;
  const std::size_t concurrency = GENERATE(1U, 2U);
  mailbox_state box({.capacity = 1, .concurrency = concurrency});
  box.time_sends(1);
  CHECK(send(box, 1) == put::taken);
  int number = 2;
  send_operation out = msgbus::exec::event_send_operation(number);
  msgbus::exec::shared_message displaced;
  CHECK(box.try_put(out, displaced) == put::full);
  CHECK(*static_cast<const int*>(out.message().data) == 2);
  message_in_hand in_hand;
  REQUIRE(box.take(in_hand));
  box.done(in_hand);
  CHECK(box.try_put(out, displaced) == put::taken);
  REQUIRE(box.take(in_hand));
  CHECK(*static_cast<const int*>(in_hand.get()->message().data) == 2);
  CHECK(box.sent_in_hand(*in_hand.get()) != 0);
  box.done(in_hand);
}

TEST_CASE("the short way of a timed message ends as the long one, and measures one in a sample",
          "[O1]") {
  const times_clock clock;
  const auto on_full = GENERATE(msgbus::overflow::reject, msgbus::overflow::drop_newest);
  mailbox_state box({.capacity = 2, .on_full = on_full});
  CHECK_FALSE(box.is_only_timed());
  box.time_sends(1);
  REQUIRE(box.is_only_timed());
  const auto put_one = [&](int number) {
    send_operation out = msgbus::exec::event_send_operation(number);
    return box.put_timed_in_order(out);
  };
  while (box.size() < box.capacity()) CHECK(put_one(1) == put::taken);
  CHECK(put_one(2) == send(box, 2));
  message_in_hand in_hand;
  REQUIRE(box.take(in_hand));
  CHECK(box.sent_in_hand() != 0);
  box.done(in_hand);
  box.show_space();
  (void)times_clock::looks();
  box.time_sends(1U << 31U);
  CHECK(put_one(3) == put::taken);
  CHECK(times_clock::looks() == 0);
  box.close();
  CHECK_FALSE(box.is_only_timed());
}

TEST_CASE("after the end of measuring no time is noted, and nobody looks at the clock", "[O4]") {
  const times_clock clock;
  mailbox_state box({.capacity = 8});
  box.time_sends(1);
  box.time_sends(0);
  CHECK(box.has_fast_path());
  CHECK(send(box, 1) == put::taken);
  CHECK(times_clock::looks() == 0);
  message_in_hand in_hand;
  REQUIRE(box.take(in_hand));
  CHECK(box.sent_in_hand(*in_hand.get()) == 0);
  box.done(in_hand);
}

}  // namespace send_times_test
