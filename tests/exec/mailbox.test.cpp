#include <msgbus/detail/exec/mailbox.hpp>

#include "support/mailbox_fixture.hpp"

namespace mailbox_test {

// --- Messages that are posted. -------------------------------------------------------------------

TEST_CASE("messages are handled on the executor, in the order in which they came", "[A2][A4]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    stepping_context context(shuffled{seed});
    const auto to = box::make(context.get_executor());
    for (int i = 1; i <= 200; ++i) REQUIRE(to->post(i) == put::taken);
    CHECK(to->handled().empty());
    CHECK(to->mailbox.size() == 200);
    CHECK(to->mailbox.accepted() == 200);
    context.run();
    CHECK(to->handled() == one_to(200));
    CHECK(to->mailbox.size() == 0);
  }
}

TEST_CASE("posting runs no handler, also where handlers run") {
  stepping_context context;
  const auto to = box::make(context.get_executor());
  const auto other = box::make(context.get_executor(), {.concurrency = 2});
  bool inside = false;
  auto outside = [&](const numbered&) { CHECK_FALSE(inside); };
  to->on_message = outside;
  other->on_message = outside;
  asio::post(context.get_executor(), [&] {
    inside = true;
    CHECK(to->post(1) == put::taken);
    CHECK(other->post(1) == put::taken);
    inside = false;
  });
  context.run();
  CHECK(to->handled() == one_to(1));
  CHECK(other->handled() == one_to(1));
}

TEST_CASE("one post serves all messages that were put in without a loop", "[A4][A11]") {
  stepping_context context;
  const auto to = box::make(context.get_executor());
  for (int i = 1; i <= 5; ++i) REQUIRE(to->put_only(i) == put::taken);
  CHECK(context.pending() == 0);
  to->mailbox.start_loops();
  CHECK(context.pending() == 1);
  to->mailbox.start_loops();
  CHECK(context.pending() == 1);
  context.run();
  CHECK(to->handled() == one_to(5));
  to->mailbox.start_loops();
  CHECK(context.pending() == 0);
}

TEST_CASE("messages that were put in without a loop get as many as they can use", "[A5]") {
  stepping_context context;
  const auto to = box::make(context.get_executor(), {.concurrency = 3});
  gate all;
  to->on_rest = [&](numbered) { return all.pass(); };
  for (int i = 1; i <= 2; ++i) REQUIRE(to->put_only(i) == put::taken);
  to->mailbox.start_loops();
  context.run();
  CHECK(to->running == 2);
  for (int i = 3; i <= 8; ++i) REQUIRE(to->put_only(i) == put::taken);
  to->mailbox.start_loops();
  context.run();
  CHECK(to->running == 3);
  all.open();
  context.run();
  CHECK(to->handled().size() == 8);
}

TEST_CASE("an empty mailbox has nothing to do, and a message brings it back to life", "[A11]") {
  stepping_context context;
  const auto to = box::make(context.get_executor());
  CHECK(context.pending() == 0);
  for (int i = 1; i <= 5; ++i) {
    REQUIRE(to->post(i) == put::taken);
    context.run();
    CHECK(context.pending() == 0);
    CHECK(to->handled() == one_to(i));
  }
  CHECK(to.use_count() == 1);
}

TEST_CASE("a message that comes at any step of an ending consumer loop is handled", "[A7]") {
  for (const std::size_t loops : {1U, 2U}) {
    for (int steps = 0; steps < 25; ++steps) {
      stepping_context context;
      const auto to = box::make(context.get_executor(), {.concurrency = loops});
      REQUIRE(to->post(1) == put::taken);
      for (int i = 0; i < steps; ++i) context.step();
      REQUIRE(to->post(2) == put::taken);
      context.run();
      CHECK(to->handled() == one_to(2));
    }
  }
}

TEST_CASE("a busy mailbox lets others run after a batch", "[A11]") {
  stepping_context context;
  const auto to = box::make(context.get_executor(), {.capacity = 2000});
  for (int i = 1; i <= 1000; ++i) REQUIRE(to->post(i) == put::taken);
  std::size_t when = 0;
  context.step();
  asio::post(context.get_executor(), [&] { when = to->ended(); });
  context.run();
  CHECK(when < 200);
  CHECK(to->ended() == 1000);
}

TEST_CASE("a message that suspends is done before the next one begins", "[A4]") {
  stepping_context context(shuffled{3});
  const auto to = box::make(context.get_executor());
  to->on_rest = [](numbered what) -> asio::awaitable<void> {
    for (int i = 0; i < 5 - what.number % 5; ++i) co_await turn();
  };
  for (int i = 1; i <= 20; ++i) REQUIRE(to->post(i) == put::taken);
  context.run();
  CHECK(to->handled() == one_to(20));
  CHECK(to->most_running == 1);
}

TEST_CASE("with a concurrency of n, n messages are handled at once and not one more", "[A5]") {
  for (const std::size_t loops : {2U, 4U}) {
    stepping_context context(shuffled{loops});
    const auto to = box::make(context.get_executor(), {.concurrency = loops});
    gate closed;
    to->on_rest = [&](numbered) { return closed.pass(); };
    for (int i = 1; i <= 20; ++i) REQUIRE(to->post(i) == put::taken);
    context.run();
    CHECK(to->running == static_cast<int>(loops));
    CHECK(to->mailbox.size() == 20 - loops);
    closed.open();
    context.run();
    CHECK(to->most_running == static_cast<int>(loops));
    numbers all = to->handled();
    std::sort(all.begin(), all.end());
    CHECK(all == one_to(20));
  }
}

TEST_CASE("a consumer loop that waits does not keep the others from starting", "[A5]") {
  stepping_context context;
  const auto to = box::make(context.get_executor(), {.concurrency = 2});
  gate closed;
  to->on_rest = [&](numbered what) -> asio::awaitable<void> {
    if (what.number == 1) co_await closed.pass();
  };
  for (int i = 1; i <= 5; ++i) {
    REQUIRE(to->post(i) == put::taken);
    context.run();
  }
  CHECK(to->handled() == numbers{2, 3, 4, 5});
  closed.open();
  context.run();
  CHECK(to->ended() == 5);
}

}  // namespace mailbox_test
