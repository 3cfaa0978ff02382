#include <msgbus/detail/exec/mailbox.hpp>

#include <msgbus/error.hpp>
#include <msgbus/testing/cut_off.hpp>
#include <msgbus/testing/stepping_executor.hpp>

#include "support/catch.hpp"
#include "support/mailboxes.hpp"

#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace mailbox_test {

using msgbus::mailbox_options;
using msgbus::overflow;
using msgbus::exec::put;
using msgbus::testing::cut_off_at_every_step;
using msgbus::testing::shuffled;
using msgbus::testing::spawned;
using msgbus::testing::stepping_context;
using msgbus_test::box;
using msgbus_test::numbered;
using numbers = std::vector<int>;

namespace {

asio::awaitable<void> turn() { co_await asio::post(asio::use_awaitable); }

// What coroutines wait at until it is opened.
class gate {
 public:
  asio::awaitable<void> pass() {
    while (!open_) {
      auto mine = std::make_shared<msgbus::exec::one_shot_event>();
      waiting_.push_back(mine);
      co_await mine->wait();
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) throw std::runtime_error("cancelled");
    }
  }
  void open() {
    open_ = true;
    let_one_look();
  }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  void let_one_look() {
    for (const auto& each : std::exchange(waiting_, {})) each->set();
  }
  bool open_ = false;
  std::vector<std::shared_ptr<msgbus::exec::one_shot_event>> waiting_;
};

numbers one_to(int last) {
  numbers all;
  for (int i = 1; i <= last; ++i) all.push_back(i);
  return all;
}

std::error_code code_of(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const std::system_error& e) {
    return e.code();
  }
  return {};
}

bool ended_with(const spawned<put>& sent, put result) {
  spawned<put> copy = sent;
  return copy.done() && !copy.failure() && copy.get() == result;
}

}  // namespace

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

// --- Overflow. -----------------------------------------------------------------------------------

TEST_CASE("a full mailbox refuses what is posted, and takes it when there is room", "[A6]") {
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

TEST_CASE("a sender waits while a mailbox is full, and its message comes after what was there",
          "[A4][A6]") {
  stepping_context context;
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  gate closed;
  to->on_rest = [&](numbered) { return closed.pass(); };
  REQUIRE(to->post(1) == put::taken);
  context.run();
  REQUIRE(to->post(2) == put::taken);
  auto third = context.spawn(box::send(to, 3));
  context.run();
  CHECK_FALSE(third.done());
  CHECK(to->mailbox.size() == 1);
  closed.open();
  context.run();
  CHECK(ended_with(third, put::taken));
  CHECK(to->handled() == one_to(3));
}

TEST_CASE("waiting senders are served first come, first served", "[A6]") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    stepping_context context(shuffled{seed});
    const auto to = box::make(context.get_executor(), {.capacity = 1});
    gate closed;
    to->on_rest = [&](numbered) { return closed.pass(); };
    REQUIRE(to->post(1) == put::taken);
    context.run();
    REQUIRE(to->post(2) == put::taken);
    std::vector<spawned<put>> sending;
    for (int i = 3; i <= 12; ++i) {
      sending.push_back(context.spawn(box::send(to, i)));
      context.run();
    }
    closed.open();
    context.run();
    CHECK(to->handled() == one_to(12));
  }
}

TEST_CASE("a post does not overtake those who wait for room", "[A6]") {
  for (int steps = 0; steps < 40; ++steps) {
    stepping_context context;
    const auto to = box::make(context.get_executor(), {.capacity = 1});
    gate closed;
    to->on_rest = [&](numbered) { return closed.pass(); };
    REQUIRE(to->post(1) == put::taken);
    context.run();
    REQUIRE(to->post(2) == put::taken);
    auto third = context.spawn(box::send(to, 3));
    auto fourth = context.spawn(box::send(to, 4));
    context.run();
    closed.open();
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
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  gate closed;
  to->on_rest = [&](numbered) { return closed.pass(); };
  REQUIRE(to->post(1) == put::taken);
  context.run();
  REQUIRE(to->post(2) == put::taken);
  auto third = context.spawn(box::send(to, 3));
  auto fourth = context.spawn(box::send(to, 4));
  context.run();
  third.cancel();
  context.run();
  REQUIRE(third.done());
  CHECK(code_of(third.failure()) == asio::error::operation_aborted);
  CHECK_FALSE(fourth.done());
  closed.open();
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

// --- The end. ------------------------------------------------------------------------------------

TEST_CASE("a closed mailbox takes nothing, wakes all who wait, and hands out what it has",
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

TEST_CASE("discarding gives up what waits and cancels what is being handled", "[A10]") {
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

TEST_CASE("discarding from inside a handler cancels what that handler goes on to await", "[A10]") {
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

TEST_CASE("a mailbox that goes gives up what waits in it", "[A10]") {
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
  const auto to = box::make(context.get_executor(), {.capacity = 1});
  gate closed;
  to->on_rest = [&](numbered) { return closed.pass(); };
  REQUIRE(to->post(1) == put::taken);
  context.run();
  REQUIRE(to->post(2) == put::taken);
  (void)elsewhere->spawn(box::send(to, 3));
  elsewhere->run();
  auto fourth = context.spawn(box::send(to, 4));
  context.run();
  SECTION("before it is called") {
    elsewhere.reset();
    closed.open();
  }
  SECTION("or after it was called") {
    closed.open();
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

}  // namespace mailbox_test
