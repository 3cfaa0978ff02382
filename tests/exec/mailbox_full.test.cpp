// Full mailboxes: what is refused, and who waits.

#include <msgbus/detail/exec/mailbox.hpp>

#include "support/mailbox_fixture.hpp"

namespace mailbox_full_test {

using namespace mailbox_test;

// --- Overflow. -----------------------------------------------------------------------------------

TEST_CASE("a full mailbox refuses posted messages, and accepts them when it has space", "[A6]") {
  for (const overflow how : {overflow::suspend, overflow::reject}) {
    for (const std::size_t loops : {1U, 3U}) {
      stepping_context context;
      const auto to =
          box::make(context.get_executor(), {.capacity = 2, .on_full = how, .concurrency = loops});
      CHECK(to->post(1) == put::taken);
      CHECK(to->post(2) == put::taken);
      CHECK(to->post(3) == put::full);
      CHECK(to->mailbox.size() == 2);
      CHECK(to->mailbox.accepted() == 2);
      context.run();
      CHECK(to->post(3) == put::taken);
      context.run();
      CHECK(to->ended() == 3);
    }
  }
}

TEST_CASE("drop_newest discards the message that comes", "[A6]") {
  stepping_context context;
  const auto to =
      box::make(context.get_executor(), {.capacity = 2, .on_full = overflow::drop_newest});
  CHECK(to->post(1) == put::taken);
  CHECK(to->post(2) == put::taken);
  CHECK(to->post(3) == put::dropped);
  CHECK(to->mailbox.size() == 2);
  context.run();
  CHECK(to->handled() == one_to(2));
}

TEST_CASE("drop_oldest discards the message that has waited longest, and says so", "[A6]") {
  stepping_context context;
  const auto to =
      box::make(context.get_executor(), {.capacity = 2, .on_full = overflow::drop_oldest});
  for (int i = 1; i <= 5; ++i) CHECK(to->post(i) == put::taken);
  CHECK(to->mailbox.size() == 2);
  CHECK(to->mailbox.accepted() == 5);
  CHECK(to->displaced() == one_to(3));
  context.run();
  CHECK(to->handled() == numbers{4, 5});
}

TEST_CASE("a capacity of 0 is one of 1, with every policy", "[A6]") {
  for (const overflow how :
       {overflow::suspend, overflow::reject, overflow::drop_newest, overflow::drop_oldest}) {
    stepping_context context;
    const auto to = box::make(context.get_executor(), {.capacity = 0, .on_full = how});
    CHECK(to->post(1) == put::taken);
    CHECK(to->mailbox.size() == 1);
    (void)to->post(2);
    CHECK(to->mailbox.size() == 1);
    context.run();
    CHECK(to->handled() == numbers{how == overflow::drop_oldest ? 2 : 1});
  }
}

// --- Senders that wait. --------------------------------------------------------------------------

TEST_CASE("a sender waits while a mailbox is full, and its message comes after the waiting ones",
          "[A4][A6]") {
  stepping_context context;
  full_mailbox full(context);
  const auto& to = full.to;
  auto third = context.spawn(box::send(to, 3));
  context.run();
  CHECK_FALSE(third.done());
  CHECK(to->mailbox.size() == 1);
  full.closed.open();
  context.run();
  CHECK(ended_with(third, put::taken));
  CHECK(to->handled() == one_to(3));
}

TEST_CASE("waiting senders are served first come, first served", "[A6]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    stepping_context context(shuffled{seed});
    full_mailbox full(context);
    const auto& to = full.to;
    std::vector<spawned<put>> sending;
    for (int i = 3; i <= 12; ++i) {
      sending.push_back(context.spawn(box::send(to, i)));
      context.run();
    }
    full.closed.open();
    context.run();
    CHECK(to->handled() == one_to(12));
  }
}

TEST_CASE("a post does not overtake senders that wait for space", "[A6]") {
  for (int steps = 0; steps < 40; ++steps) {
    stepping_context context;
    full_mailbox full(context);
    const auto& to = full.to;
    auto third = context.spawn(box::send(to, 3));
    auto fourth = context.spawn(box::send(to, 4));
    context.run();
    full.closed.open();
    for (int i = 0; i < steps; ++i) context.step();
    const bool both_sent = third.done() && fourth.done();
    const put result = to->post(5);
    if (!both_sent) CHECK(result == put::full);
    context.run();
    numbers expected = one_to(4);
    if (result == put::taken) expected.push_back(5);
    CHECK(to->handled() == expected);
  }
}

TEST_CASE("every waiting sender gets its turn, whatever the order of steps", "[A6][A7]") {
  for (const std::size_t capacity : {1U, 2U, 3U}) {
    for (const std::size_t loops : {1U, 3U}) {
      for (std::uint64_t seed = 0; seed < 60; ++seed) {
        stepping_context context(shuffled{seed});
        const auto to =
            box::make(context.get_executor(), {.capacity = capacity, .concurrency = loops});
        std::size_t most = 0;
        to->on_message = [&](const numbered&) { most = std::max(most, to->mailbox.size()); };
        if (seed % 2 == 1) to->on_rest = [](numbered) { return turn(); };
        std::vector<spawned<put>> sending;
        for (int i = 1; i <= 12; ++i) sending.push_back(context.spawn(box::send(to, i)));
        while (context.step()) most = std::max(most, to->mailbox.size());
        for (const auto& each : sending) CHECK(ended_with(each, put::taken));
        numbers all = to->handled();
        std::sort(all.begin(), all.end());
        CHECK(all == one_to(12));
        CHECK(most <= capacity);
      }
    }
  }
}

TEST_CASE("a cancelled send has taken nothing, and its place goes to the next", "[A9]") {
  stepping_context context;
  full_mailbox full(context);
  const auto& to = full.to;
  auto third = context.spawn(box::send(to, 3));
  auto fourth = context.spawn(box::send(to, 4));
  context.run();
  third.cancel();
  context.run();
  REQUIRE(third.done());
  CHECK(code_of(third.failure()) == asio::error::operation_aborted);
  CHECK_FALSE(fourth.done());
  full.closed.open();
  context.run();
  CHECK(ended_with(fourth, put::taken));
  CHECK(to->handled() == numbers{1, 2, 4});
}

TEST_CASE("a send that is cancelled at any step has either sent or not, and hinders nobody",
          "[A7][A9]") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (int steps = 0; steps < 40; ++steps) {
      stepping_context context(shuffled{seed});
      const auto to = box::make(context.get_executor(), {.capacity = 1});
      if (seed % 2 == 1) to->on_rest = [](numbered) { return turn(); };
      std::vector<spawned<put>> sending;
      for (int i = 1; i <= 5; ++i) sending.push_back(context.spawn(box::send(to, i)));
      for (int i = 0; i < steps; ++i) context.step();
      spawned<put>& unlucky = sending[seed % 5];
      unlucky.cancel();
      context.run();
      numbers all = to->handled();
      std::sort(all.begin(), all.end());
      for (int i = 1; i <= 5; ++i) {
        spawned<put>& each = sending[static_cast<std::size_t>(i) - 1];
        REQUIRE(each.done());
        const bool sent = !each.failure();
        CHECK((sent || &each == &unlucky));
        CHECK(std::binary_search(all.begin(), all.end(), i) == sent);
      }
      CHECK(to->mailbox.size() == 0);
    }
  }
}

TEST_CASE("sending to the full mailbox that waits for the sender would deadlock, and says so",
          "[A6]") {
  stepping_context context;
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  std::exception_ptr failure;
  to->on_rest = [&](numbered what) -> asio::awaitable<void> {
    if (what.number != 1) co_return;
    CHECK(to->post(2) == put::taken);
    try {
      co_await box::send(to, 3);
    } catch (...) {
      failure = std::current_exception();
    }
  };
  REQUIRE(to->post(1) == put::taken);
  context.run();
  CHECK(code_of(failure) == msgbus::errc::would_deadlock);
  CHECK(to->handled() == one_to(2));
}

TEST_CASE("sending to another full mailbox from a handler waits", "[A6]") {
  stepping_context context;
  const auto from = box::make(context.get_executor(), {.capacity = 1});
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  REQUIRE(to->post(1) == put::taken);
  from->on_rest = [&](numbered) -> asio::awaitable<void> {
    const put result = co_await box::send(to, 2);
    CHECK(result == put::taken);
  };
  REQUIRE(from->post(1) == put::taken);
  context.run();
  CHECK(from->handled() == one_to(1));
  CHECK(to->handled() == one_to(2));
}

TEST_CASE("a sender on another executor resumes there", "[A2]") {
  stepping_context context, elsewhere;
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  REQUIRE(to->post(1) == put::taken);
  auto second = elsewhere.spawn(box::send(to, 2));
  elsewhere.run();
  context.run();
  CHECK_FALSE(second.done());
  CHECK(elsewhere.pending() == 1);
  elsewhere.run();
  CHECK(ended_with(second, put::taken));
  context.run();
  CHECK(to->handled() == one_to(2));
}

}  // namespace mailbox_full_test
