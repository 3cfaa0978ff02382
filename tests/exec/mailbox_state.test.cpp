// The mailbox without an executor: what it answers to senders and to consumer loops.

#include <msgbus/detail/exec/mailbox_state.hpp>

#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/mailboxes.hpp"

#include <asio/error.hpp>
#include <asio/system_error.hpp>
#include <asio/this_coro.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mailbox_state_test {

using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::exec::mailbox_state;
using msgbus::exec::message_in_hand;
using msgbus::exec::put;
using msgbus::exec::send_operation;
using msgbus::exec::shared_message;
using msgbus::exec::waiting_put;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;

namespace {

put post(mailbox_state& to, int number) {
  send_operation out = msgbus::exec::event_send_operation(number);
  shared_message displaced;
  return to.try_put(out, displaced);
}

// The next message, or -1.
int take(mailbox_state& from) {
  message_in_hand next;
  if (!from.take(next)) return -1;
  const int number = *static_cast<const int*>(next.get()->message().data);
  from.done(next);
  return number;
}

put post_scheduled(mailbox_state& to, int number) {
  send_operation out = msgbus::exec::event_send_operation(number);
  out.mark_scheduled();
  shared_message displaced;
  return to.try_put(out, displaced);
}

asio::awaitable<put> send_scheduled(std::shared_ptr<msgbus_test::box> to, int number) {
  msgbus_test::numbered message{number};
  send_operation out = msgbus::exec::event_send_operation(message);
  out.mark_scheduled();
  put result = to->mailbox.try_put(out);
  if (result == put::full) {
    const asio::any_io_executor here = co_await asio::this_coro::executor;
    result = co_await to->mailbox.put_when_space(out, here);
  }
  co_return result;
}

asio::awaitable<put> send(mailbox_state& to, int number) {
  send_operation out = msgbus::exec::event_send_operation(number);
  out.prepare(true);
  waiting_put sender{to, out};
  co_await to.senders().wait(&waiting_put::attempt, &sender, "send");
  co_return sender.result;
}

}  // namespace

TEST_CASE("the first message wants a consumer loop, and the next ones do not, until it ends",
          "[A7]") {
  mailbox_state state({});
  CHECK(post(state, 1) == put::taken);
  REQUIRE(state.wants_loop());
  REQUIRE(state.claim_loop());
  CHECK_FALSE(state.wants_loop());
  CHECK_FALSE(state.claim_loop());
  CHECK(post(state, 2) == put::taken);
  CHECK_FALSE(state.wants_loop());
  CHECK(take(state) == 1);
  CHECK(take(state) == 2);
  CHECK(state.end_loop());
  CHECK_FALSE(state.has_loops());
  CHECK(post(state, 3) == put::taken);
  CHECK(state.wants_loop());
}

TEST_CASE("a loop that would leave a message behind does not end", "[A7]") {
  for (const std::size_t loops : {1U, 2U}) {
    mailbox_state state({.concurrency = loops});
    CHECK(post(state, 1) == put::taken);
    for (std::size_t i = 0; i < loops; ++i) REQUIRE(state.claim_loop());
    CHECK_FALSE(state.end_loop());
    CHECK(take(state) == 1);
    for (std::size_t i = 0; i < loops; ++i) CHECK(state.end_loop());
  }
}

TEST_CASE("no more loops run than messages may be handled at once", "[A5]") {
  mailbox_state state({.concurrency = 3});
  for (int i = 0; i < 3; ++i) CHECK(state.claim_loop());
  CHECK_FALSE(state.claim_loop());
  state.lose_loop();
  CHECK(state.claim_loop());
}

TEST_CASE("a full mailbox follows its options", "[A6]") {
  for (const overflow policy : {overflow::suspend, overflow::reject}) {
    mailbox_state state({.capacity = 1, .on_full = policy});
    CHECK(post(state, 1) == put::taken);
    CHECK(post(state, 2) == put::full);
    CHECK(take(state) == 1);
    CHECK(post(state, 3) == put::taken);
    CHECK(state.accepted() == 2);
  }
  mailbox_state newest({.capacity = 1, .on_full = overflow::drop_newest});
  CHECK(post(newest, 1) == put::taken);
  CHECK(post(newest, 2) == put::dropped);
  CHECK(take(newest) == 1);
  mailbox_state oldest({.capacity = 1, .on_full = overflow::drop_oldest});
  CHECK(post(oldest, 1) == put::taken);
  CHECK(post(oldest, 2) == put::taken);
  CHECK(take(oldest) == 2);
}

TEST_CASE("a message that is in hand does not count as waiting", "[A6]") {
  for (const std::size_t loops : {1U, 2U}) {
    mailbox_state state({.capacity = 1, .concurrency = loops});
    CHECK(post(state, 1) == put::taken);
    message_in_hand first;
    REQUIRE(state.take(first));
    CHECK(state.size() == 0);
    CHECK(post(state, 2) == put::taken);
    message_in_hand moved(std::move(first));
    CHECK_FALSE(first);
    CHECK(*static_cast<const int*>(moved.get()->message().data) == 1);
    state.done(moved);
    CHECK(take(state) == 2);
  }
}

TEST_CASE("a post does not take the place that a woken sender has a claim on", "[A6]") {
  stepping_context context;
  mailbox_state state({.capacity = 1});
  CHECK(post(state, 1) == put::taken);
  auto second = context.spawn(send(state, 2));
  auto third = context.spawn(send(state, 3));
  context.run();
  CHECK(state.has_waiting(true));
  CHECK(take(state) == 1);
  state.notify_space();
  CHECK(post(state, 4) == put::full);
  context.run();
  REQUIRE(second.done());
  CHECK(second.get() == put::taken);
  CHECK_FALSE(third.done());
  CHECK(post(state, 4) == put::full);
  CHECK(take(state) == 2);
  CHECK(post(state, 4) == put::full);
  state.notify_space();
  context.run();
  REQUIRE(third.done());
  CHECK(take(state) == 3);
  CHECK_FALSE(state.has_waiting(true));
  CHECK(post(state, 4) == put::taken);
}

TEST_CASE("a sender that gives up passes its claim on, and then nobody is in the way", "[A9]") {
  for (const bool woken : {false, true}) {
    stepping_context context;
    mailbox_state state({.capacity = 1});
    CHECK(post(state, 1) == put::taken);
    auto second = context.spawn(send(state, 2));
    auto third = context.spawn(send(state, 3));
    context.run();
    if (woken) {
      CHECK(take(state) == 1);
      state.notify_space();
    }
    second.cancel();
    context.run();
    REQUIRE(second.done());
    CHECK(second.failure());
    if (!woken) {
      CHECK(take(state) == 1);
      state.notify_space();
      context.run();
    }
    REQUIRE(third.done());
    CHECK(third.get() == put::taken);
    CHECK(take(state) == 3);
    CHECK(post(state, 4) == put::taken);
    CHECK(take(state) == 4);
  }
}

TEST_CASE(
    "closing refuses new messages and wakes all waiting senders, and present messages can be taken",
    "[A10]") {
  stepping_context context;
  mailbox_state state({.capacity = 1});
  CHECK(post(state, 1) == put::taken);
  std::vector<spawned<put>> waiting;
  for (int i = 2; i < 6; ++i) waiting.push_back(context.spawn(send(state, i)));
  context.run();
  state.close();
  context.run();
  for (auto& each : waiting) {
    REQUIRE(each.done());
    CHECK(each.get() == put::closed);
  }
  CHECK(post(state, 7) == put::closed);
  CHECK_FALSE(state.discards());
  CHECK(take(state) == 1);
  state.discard();
  CHECK(state.discards());
}

namespace {

asio::awaitable<void> come_back(mailbox_state& to) {
  try {
    co_await to.permit_waiters().wait(&mailbox_state::take_permit, &to, "a retry");
  } catch (...) {
    to.reclaim_permits();
    throw;
  }
}

}  // namespace

TEST_CASE("a permit that a message gives up is for another loop", "[A5]") {
  mailbox_state state({});
  CHECK(post(state, 1) == put::taken);
  CHECK(post(state, 2) == put::taken);
  REQUIRE(state.claim_loop());
  CHECK(take(state) == 1);
  state.begin_pause();
  state.release_permit();
  CHECK(state.has_messages());
  CHECK(state.wants_loop());
  CHECK(state.claim_loop());
  CHECK_FALSE(state.claim_loop());
  state.end_pause();
}

TEST_CASE("a loop hands its permit to the message that has waited longest for one", "[A5]") {
  stepping_context context;
  mailbox_state state({});
  REQUIRE(state.claim_loop());
  state.begin_pause();
  auto first = context.spawn(come_back(state));
  auto second = context.spawn(come_back(state));
  context.run();
  CHECK_FALSE(first.done());
  CHECK(state.is_permit_wanted());
  SECTION("before its next message") { CHECK(state.hand_over()); }
  SECTION("at its end") { CHECK(state.end_loop()); }
  SECTION("when its own message pauses") { state.release_permit(); }
  CHECK_FALSE(state.claim_loop());  // no sender gets it in between
  context.run();
  CHECK(first.done());
  CHECK_FALSE(second.done());
  state.release_permit();
  context.run();
  CHECK(second.done());
  CHECK(state.end_loop());
  CHECK_FALSE(state.is_permit_wanted());
  CHECK_FALSE(state.has_loops());
  state.end_pause();
}

TEST_CASE("a message that is cancelled with a permit in reach passes it on", "[A9]") {
  stepping_context context;
  mailbox_state state({});
  REQUIRE(state.claim_loop());
  state.begin_pause();
  auto first = context.spawn(come_back(state));
  auto second = context.spawn(come_back(state));
  context.run();
  CHECK(state.hand_over());
  first.cancel();
  SECTION("to the next one") {
    context.run();
    CHECK(second.done());
    CHECK(state.has_loops());
  }
  SECTION("or frees it, if there is none") {
    second.cancel();
    context.run();
    CHECK_FALSE(state.has_loops());
    CHECK(state.claim_loop());
  }
  state.end_pause();
}

TEST_CASE("messages that pause are counted in the capacity", "[A6]") {
  const auto on_full = GENERATE(overflow::reject, overflow::drop_newest, overflow::drop_oldest);
  mailbox_state state({.capacity = 2, .on_full = on_full});
  state.begin_pause();
  CHECK(post(state, 1) == put::taken);
  CHECK(post(state, 2) == (on_full == overflow::reject        ? put::full
                           : on_full == overflow::drop_newest ? put::dropped
                                                              : put::taken));
  CHECK(state.size() == 1);
  state.begin_pause();
  if (on_full == overflow::drop_oldest) {
    CHECK(post(state, 3) == put::taken);  // and is dropped itself: no older one waits
    CHECK(post(state, 4) == put::taken);
    CHECK(state.size() <= 1);
  }
  state.end_pause();
  state.end_pause();
  while (take(state) != -1) {
  }
  CHECK(post(state, 5) == put::taken);
  CHECK(post(state, 6) == put::taken);
}

TEST_CASE("a mailbox that is closed to senders takes scheduled messages, and no others",
          "[P6][A10]") {
  mailbox_state state({.capacity = 2});
  CHECK(post(state, 1) == put::taken);
  state.close_to_senders();
  CHECK(post(state, 2) == put::closed);
  CHECK(post_scheduled(state, 3) == put::taken);
  CHECK(post_scheduled(state, 4) == put::full);
  CHECK(take(state) == 1);
  CHECK(take(state) == 3);
  state.close();
  CHECK(post_scheduled(state, 5) == put::closed);
}

TEST_CASE("a sender that is refused leaves its claim to a scheduled message", "[P6][A10]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (int before = 0; before < 8; ++before) {
      INFO("seed " << seed << ", " << before << " steps before");
      stepping_context context(shuffled{seed});
      const auto box = msgbus_test::box::make(context.get_executor(), {.capacity = 1});
      std::vector<spawned<put>> refused, scheduled;
      for (int i = 0; i < 3; ++i) {
        refused.push_back(context.spawn(msgbus_test::box::send(box, i)));
        scheduled.push_back(context.spawn(send_scheduled(box, 10 + i)));
      }
      for (int i = 0; i < before; ++i) (void)context.step();
      box->mailbox.close_to_senders();
      context.run();
      for (auto& each : refused) REQUIRE(each.done());
      for (auto& each : scheduled) REQUIRE(each.get() == put::taken);
      REQUIRE(box->handled().size() == box->mailbox.accepted());
    }
  }
}

}  // namespace mailbox_state_test
