// The end of a mailbox: closed, discarded, destroyed, or without its context.

#include <msgbus/detail/exec/mailbox.hpp>

#include "support/mailbox_fixture.hpp"

namespace mailbox_end_test {

using namespace mailbox_test;

// --- The end. ------------------------------------------------------------------------------------

TEST_CASE("a closed mailbox accepts nothing, wakes all waiting senders, and hands out its messages",
          "[A10]") {
  stepping_context context(shuffled{5});
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  REQUIRE(to->post(1) == put::taken);
  std::vector<spawned<put>> sending;
  for (int i = 2; i <= 6; ++i) sending.push_back(context.spawn(box::send(to, i)));
  gate closed;
  to->on_rest = [&](numbered) { return closed.pass(); };
  context.run();
  to->mailbox.close();
  context.run();
  std::size_t refused = 0;
  for (const auto& each : sending) {
    CHECK(each.done());
    if (ended_with(each, put::closed)) ++refused;
  }
  CHECK(refused == 4);
  CHECK(to->post(7) == put::closed);
  closed.open();
  context.run();
  CHECK(to->ended() == 2);
  CHECK(to->handled().size() == 2);
}

TEST_CASE("discarding abandons waiting messages and cancels running handlers", "[A10]") {
  for (const std::size_t loops : {1U, 3U}) {
    stepping_context context;
    const auto to = box::make(context.get_executor(), {.capacity = 8, .concurrency = loops});
    gate closed;
    to->on_rest = [&](numbered) { return closed.pass(); };
    for (int i = 1; i <= 6; ++i) REQUIRE(to->post(i) == put::taken);
    context.run();
    CHECK(to->running == static_cast<int>(loops));
    to->mailbox.discard();
    CHECK(to->post(7) == put::closed);
    context.run();
    CHECK(to->running == 0);
    CHECK(to->handled().empty());
    numbers all = to->given_up();
    std::sort(all.begin(), all.end());
    CHECK(all == one_to(6));
    CHECK(to.use_count() == 1);
  }
}

TEST_CASE("discarding from inside a handler cancels the later waits of that handler", "[A10]") {
  for (const int by : {1, 2}) {  // the first begins as a plain function, the second on a strand
    stepping_context context;
    const auto to = box::make(context.get_executor());
    gate closed;
    to->on_message = [&](const numbered& what) {
      if (what.number == by) to->mailbox.discard();
    };
    to->on_rest = [&](numbered what) -> asio::awaitable<void> {
      if (what.number == by) co_await closed.pass();
    };
    for (int i = 1; i <= 3; ++i) REQUIRE(to->post(i) == put::taken);
    context.run();
    CHECK(to->running == 0);
    CHECK(to->handled() == one_to(by - 1));
    CHECK(to->given_up().size() == static_cast<std::size_t>(4 - by));
  }
}

TEST_CASE("discarding at any step accounts for every message and lets every sender go",
          "[A7][A10]") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    for (int steps = 0; steps < 40; ++steps) {
      stepping_context context(shuffled{seed});
      const auto to =
          box::make(context.get_executor(), {.capacity = 2, .concurrency = seed % 3 + 1});
      if (seed % 2 == 1) to->on_rest = [](numbered) { return turn(); };
      std::vector<spawned<put>> sending;
      for (int i = 1; i <= 6; ++i) sending.push_back(context.spawn(box::send(to, i)));
      for (int i = 0; i < steps; ++i) context.step();
      if (steps % 2 == 0) {
        to->mailbox.discard();
      } else {
        to->mailbox.close();
      }
      context.run();
      std::size_t taken = 0;
      for (const auto& each : sending) {
        REQUIRE(each.done());
        if (ended_with(each, put::taken)) ++taken;
      }
      CHECK(to->ended() == taken);
      CHECK(to->mailbox.accepted() == taken);
      CHECK(to->mailbox.size() == 0);
      CHECK(to.use_count() == 1);
    }
  }
}

TEST_CASE("a destroyed mailbox abandons its waiting messages", "[A10]") {
  for (const std::size_t loops : {1U, 3U}) {
    std::optional<stepping_context> context(std::in_place);
    auto to = box::make(context->get_executor(), {.concurrency = loops});
    for (int i = 1; i <= 4; ++i) REQUIRE(to->post(i) == put::taken);
    const std::weak_ptr<box> watch = to;
    SECTION("not before its consumer loop has ended") {
      to.reset();
      CHECK_FALSE(watch.expired());
      context->run();
      CHECK(watch.expired());
    }
    SECTION("or its context has") {
      to.reset();
      context.reset();
      CHECK(watch.expired());
    }
  }
}

TEST_CASE("a context that goes leaves no message unaccounted for", "[A7][A12]") {
  for (const std::size_t loops : {1U, 3U}) {
    for (int steps = 0; steps < 12; ++steps) {
      std::optional<stepping_context> context(std::in_place);
      const auto to = box::make(context->get_executor(), {.capacity = 8, .concurrency = loops});
      gate closed;
      to->on_rest = [&](numbered what) -> asio::awaitable<void> {
        if (what.number % 3 == 0) co_await closed.pass();
      };
      for (int i = 1; i <= 6; ++i) REQUIRE(to->post(i) == put::taken);
      for (int i = 0; i < steps; ++i) context->step();
      context.reset();
      CHECK(to->ended() == 6);
      CHECK(to->running == 0);
      CHECK(to->mailbox.size() == 0);
      CHECK(to->post(7) == put::closed);
      CHECK(to.use_count() == 1);
    }
  }
}

TEST_CASE("a context that goes does not leave senders of other contexts waiting", "[A10][A12]") {
  stepping_context elsewhere;
  std::optional<stepping_context> context(std::in_place);
  const auto to = box::make(context->get_executor(), {.capacity = 1});
  REQUIRE(to->post(1) == put::taken);
  auto second = elsewhere.spawn(box::send(to, 2));
  auto third = elsewhere.spawn(box::send(to, 3));
  elsewhere.run();
  CHECK_FALSE(second.done());
  context.reset();
  elsewhere.run();
  CHECK(ended_with(second, put::closed));
  CHECK(ended_with(third, put::closed));
  CHECK(to->given_up() == one_to(1));
}

TEST_CASE("a sender whose context goes leaves its place to the next", "[A12]") {
  std::optional<stepping_context> elsewhere(std::in_place);
  stepping_context context;
  full_mailbox full(context);
  const auto& to = full.to;
  (void)elsewhere->spawn(box::send(to, 3));
  elsewhere->run();
  auto fourth = context.spawn(box::send(to, 4));
  context.run();
  SECTION("before it is called") {
    elsewhere.reset();
    full.closed.open();
  }
  SECTION("or after it was called") {
    full.closed.open();
    context.run();
    CHECK_FALSE(fourth.done());
    elsewhere.reset();
  }
  context.run();
  CHECK(ended_with(fourth, put::taken));
  CHECK(to->handled() == numbers{1, 2, 4});
}

TEST_CASE("a mailbox on a context that has gone is closed", "[A12]") {
  std::optional<stepping_context> context(std::in_place);
  const auto idle = box::make(context->get_executor());
  context.reset();
  CHECK(idle->post(1) == put::closed);
  CHECK(idle->ended() == 0);
}

TEST_CASE("a mailbox, its loops and its senders are taken down safely at every step", "[A12]") {
  struct scenario {
    scenario(stepping_context& context, std::size_t loops)
        : to(box::make(context.get_executor(), {.capacity = 2, .concurrency = loops})) {
      to->on_rest = [](numbered) { return turn(); };
      for (int i = 1; i <= 4; ++i) sending.push_back(context.spawn(box::send(to, i)));
    }
    ~scenario() { to->mailbox.discard(); }
    std::shared_ptr<box> to;
    std::vector<spawned<put>> sending;
  };
  for (const std::size_t loops : {1U, 3U}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const auto report = cut_off_at_every_step(
          [&](stepping_context& context) { return std::make_unique<scenario>(context, loops); },
          {.shuffle = shuffled{seed}});
      CHECK(report.steps > 10);
    }
  }
}

}  // namespace mailbox_end_test
